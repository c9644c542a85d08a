#!/usr/bin/env bash
# What the scripts say when they are asked, or asked wrongly. Nothing is started or deleted here.
set -euo pipefail
# shellcheck source=scripts/tests/assertions.sh
source "$(dirname "${BASH_SOURCE[0]}")/assertions.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
make_clone "$work/clone"
cd "$work/clone"
unset OTP_DATABASE_URL USER_DATABASE_URL ADMIN_DATABASE_URL DATABASE_URL

for script in start-services.sh clean-postgres-data.sh scripts/test.sh; do
    expect_run "$script --help" 0 "Usage: " "./$script" --help
    expect_run "$script refuses an unknown argument" 2 "unknown argument '--nonsense'" "./$script" --nonsense
done
expect_run "start refuses an unknown service" 2 "there is no service 'sms-service'" ./start-services.sh --service sms-service
expect_run "start misses the name of a service" 2 "needs the name of a service" ./start-services.sh --service
expect_run "status of a clone in which nothing runs" 1 "otp-service      stopped" ./start-services.sh --status
expect_run "status takes -Service too" 1 "user-service     stopped" ./start-services.sh --status -Service user-service
expect_run "stop where nothing runs" 0 "Stopped: " ./start-services.sh --stop
expect_run "logs where there are none" 1 "no log" ./start-services.sh --logs
expect_not "none of this wrote .env" test -e .env

# A PATH with the tools of the scripts, but no Swift.
mkdir "$work/bin"
for tool in bash dirname uname mkdir flock sed head; do ln -s "$(command -v $tool)" "$work/bin/$tool"; done
expect_run "start without Swift" 1 "https://www.swift.org/install/linux" env PATH="$work/bin" ./start-services.sh
printf '#!/bin/sh\necho "Swift version 5.10.1 (swift-5.10.1-RELEASE)"\n' >"$work/bin/swift"
chmod +x "$work/bin/swift"
expect_run "start with an old Swift" 1 "Swift 5.10 is too old" env PATH="$work/bin" ./start-services.sh

remote=postgresql://someone:secret-word@db.example.com:5432/otp
expect_run "clean without any setting" 1 "OTP_DATABASE_URL is not set" ./clean-postgres-data.sh --yes
expect_run "clean refuses a database elsewhere" 1 "not on this machine" \
    env OTP_DATABASE_URL="$remote" ./clean-postgres-data.sh --service otp-service --yes
expect_run "clean asks, and takes silence for no" 1 "nobody is there to answer" \
    env OTP_DATABASE_URL=postgresql://127.0.0.1:1/otp ./clean-postgres-data.sh --service otp-service
output=$(OTP_DATABASE_URL=$remote ./clean-postgres-data.sh --service otp-service --yes 2>&1 || true)
expect_equal "no password is printed" "${output//secret-word/}" "$output"

expect_run "connections without any setting" 1 "ADMIN_DATABASE_URL is not set" ./test-db-connections.py
expect_run "connections to a closed port" 1 "Connection refused" \
    env OTP_DATABASE_URL=postgresql://someone:secret-word@127.0.0.1:1/otp ./test-db-connections.py --service otp-service
output=$(OTP_DATABASE_URL=postgresql://someone:secret-word@127.0.0.1:1/otp ./test-db-connections.py --json 2>&1 || true)
expect_equal "no password is printed by connections" "${output//secret-word/}" "$output"
finish
