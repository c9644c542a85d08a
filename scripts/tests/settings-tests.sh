#!/usr/bin/env bash
# How the scripts read .env and judge the URLs of databases.
set -euo pipefail
# shellcheck source=scripts/tests/assertions.sh
source "$(dirname "${BASH_SOURCE[0]}")/assertions.sh"
# shellcheck source=scripts/lib/load.sh
source "$ROOT/scripts/lib/load.sh"
unset PGHOST PGHOSTADDR PGSERVICE

for url in postgresql://127.0.0.1/otp postgres://u:p@localhost:5433/otp 'postgresql://u:p%40x@[::1]:5433/otp' \
    postgresql:///otp 'postgresql://u@/otp?host=/var/run/postgresql' 'postgresql://127.0.0.1,localhost:5434/otp' \
    postgresql://u@%2Fvar%2Frun/otp; do
    expect "local: $url" is_local "$url"
done
for url in postgresql://db.example.com/otp 'postgresql://127.0.0.1/otp?host=db.example.com' \
    'postgresql://127.0.0.1/otp?hostaddr=192.0.2.1' postgresql://127.0.0.1,db.example.com/otp \
    'postgresql://127.0.0.1/otp?service=production' postgresql://127.0.0.1.example.com/otp \
    postgresql://u:p@localhost@db.example.com/otp 'host=127.0.0.1' '' postgresql://localhost.example.com:5433/otp; do
    expect_not "not local: '$url'" is_local "$url"
done
PGHOSTADDR=192.0.2.1 expect_not "not local: overridden by PGHOSTADDR" is_local postgresql://127.0.0.1/otp
PGHOST=db.example.com expect_not "not local: a host from PGHOST" is_local postgresql:///otp

expect "private: our role on this machine" is_private "postgresql://$PRIVATE_ROLE:x@127.0.0.1:5433/otp"
expect_not "not private: another role" is_private postgresql://postgres:x@127.0.0.1:5433/otp
expect_not "not private: another machine" is_private "postgresql://$PRIVATE_ROLE:x@192.0.2.1:5433/otp"

expect_equal "password" "$(url_password 'postgresql://u:p%40%2F@h:1/d')" 'p@/'
expect_equal "no password" "$(url_password 'postgresql://u@h:1/d?x=a:b@c')" ''
expect_equal "shown" "$(url_without_password 'postgresql://u:p@h:1/d?sslmode=require')" 'postgresql://u@h:1/d?sslmode=require'
expect_equal "shown, password in the query" "$(url_without_password 'postgresql://h/d?password=p&sslmode=require')" \
    'postgresql://h/d?sslmode=require'
expect_equal "port" "$(url_port 'postgresql://u:9@h:5433/d')" 5433
expect_equal "default port" "$(url_port 'postgresql://u:9@h/d')" 5432
expect_equal "database" "$(url_database 'postgresql://u:9@h/d%20e?x=y')" 'd e'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ROOT=$work
printf '%s\n' '# NAME=comment' 'OTHER_NAME=other' ' NAME = one=two ' 'EMPTY=' 'NAME=last' 'OPEN=no newline' >"$work/.env"
printf 'LAST=end' >>"$work/.env"
expect_equal "the last line wins" "$(setting NAME)" last
expect_equal "no newline at the end" "$(setting LAST)" end
expect_equal "the environment wins" "$(NAME=mine setting NAME)" mine
expect_equal "a default" "$(setting ABSENT fallback)" fallback
expect_equal "empty is absent" "$(setting EMPTY fallback)" fallback

before=$(cat "$work/.env")
write_dotenv >/dev/null
expect_equal "what was in .env stays" "$(head -c ${#before} "$work/.env")" "$before"
expect_equal ".env is private" "$(stat -c %a "$work/.env")" 600
expect "a secret has 256 bits" grep -qE '^JWT_SECRET_KEY=[0-9a-f]{64}$' "$work/.env"
written=$(cat "$work/.env")
write_dotenv >/dev/null
expect_equal "a second run changes nothing" "$(cat "$work/.env")" "$written"
export OTP_DATABASE_URL=postgresql://127.0.0.1/mine
sed -i '/^OTP_DATABASE_URL/d' "$work/.env"
write_dotenv >/dev/null
expect_not "a URL in the environment makes no private one" grep -q '^OTP_DATABASE_URL' "$work/.env"
rm "$work/.env"
ENVIRONMENT=production write_dotenv >/dev/null
expect_not "nothing is made up for production" test -e "$work/.env"
finish
