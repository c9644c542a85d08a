#!/bin/bash
# In the stand-in for the official image of PostgreSQL: what of its entrypoint docker-compose.yml relies on.
set -euo pipefail

bin=$(echo /usr/lib/postgresql/*/bin)
data=/var/lib/postgresql/data
run() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }

if [[ ${1:-postgres} != postgres ]]; then exec "$@"; fi
mkdir -p "$data" /var/run/postgresql
chown postgres:postgres "$data" /var/run/postgresql
chmod 700 "$data"
if [[ ! -s $data/PG_VERSION ]]; then
    (umask 077 && echo "$POSTGRES_PASSWORD" >/tmp/password)
    chown postgres:postgres /tmp/password
    run "$bin/initdb" -D "$data" -U "$POSTGRES_USER" --auth-local=trust --auth-host=scram-sha-256 --pwfile=/tmp/password >/dev/null
    rm -f /tmp/password
    echo 'host all all all scram-sha-256' >>"$data/pg_hba.conf"
    run "$bin/pg_ctl" -D "$data" -w -s -o '-c listen_addresses=' start
    run "$bin/createdb" -U "$POSTGRES_USER" "$POSTGRES_DB"
    run "$bin/pg_ctl" -D "$data" -w -s -m fast stop
fi
exec setpriv --reuid=postgres --regid=postgres --init-groups "$bin/postgres" -D "$data" -c 'listen_addresses=*'
