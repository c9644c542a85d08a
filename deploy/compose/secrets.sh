#!/bin/sh
# The job `secrets` of docker-compose.yml: makes the secrets of this machine once, as the .env files that the services
# read in their working directory. Every service has the token key; only otp-service can read the key of the codes.
set -eu

random() { od -An -tx1 -N32 /dev/urandom | tr -d ' \n'; }

# lay FOLDER LINE…: readable by the services alone; complete or not there.
lay() {
    folder=$1
    shift
    umask 077
    printf '%s\n' "# Generated for this machine; docker compose down -v deletes it." "$@" >"$folder/.env.new"
    chown 10001:10001 "$folder/.env.new"
    mv "$folder/.env.new" "$folder/.env"
    chmod 755 "$folder"
}

if [ ! -e /secrets/common/.env ]; then
    lay /secrets/common "JWT_SECRET_KEY=$(random)"
    rm -f /secrets/otp/.env
fi
if [ ! -e /secrets/otp/.env ]; then
    lay /secrets/otp "$(sed -n 's/^JWT_SECRET_KEY=/&/p' /secrets/common/.env)" "OTP_SECRET_KEY=$(random)"
fi
echo "The secrets are there."
