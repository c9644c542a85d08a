#!/usr/bin/env bash
# The whole of Postkey on this machine, started, used, emptied and stopped by the scripts as a newcomer would.
set -euo pipefail
# shellcheck source=scripts/tests/assertions.sh
source "$(dirname "${BASH_SOURCE[0]}")/assertions.sh"
# shellcheck source=scripts/lib/load.sh
source "$ROOT/scripts/lib/load.sh"
unset OTP_DATABASE_URL USER_DATABASE_URL ADMIN_DATABASE_URL DATABASE_URL OTP_SERVICE_URL USER_SERVICE_URL \
    ADMIN_SERVICE_URL MSG91_BASE_URL ENVIRONMENT

work=$(mktemp -d)
# As root the databases belong to the user postgres, who has to reach them.
chmod 755 "$work"
clone=$work/clone
make_clone "$clone"

clean_up() {
    trap - EXIT
    "$clone/start-services.sh" --stop >/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT
cd "$clone"

# free_ports COUNT: that many, none of them in use.
free_ports() {
    local port count=$1
    for port in $(shuf -i 20000-29999 -n 100); do
        ((count > 0)) || return 0
        port_is_taken "$port" && continue
        echo "$port"
        count=$((count - 1))
    done
}

# write_ports: a .env that only moves everything to free ports; start-services.sh adds the rest.
write_ports() {
    local ports
    mapfile -t ports < <(free_ports 7)
    cat >.env <<ENV
OTP_SERVICE_URL=http://127.0.0.1:${ports[0]}
USER_SERVICE_URL=http://127.0.0.1:${ports[1]}
ADMIN_SERVICE_URL=http://127.0.0.1:${ports[2]}
MSG91_BASE_URL=http://127.0.0.1:${ports[3]}
OTP_DATABASE_URL=postgresql://$PRIVATE_ROLE:otp-password@127.0.0.1:${ports[4]}/otp
USER_DATABASE_URL=postgresql://$PRIVATE_ROLE:user-password@127.0.0.1:${ports[5]}/users
ADMIN_DATABASE_URL=postgresql://$PRIVATE_ROLE:admin-password@127.0.0.1:${ports[6]}/admin
ENV
}

# rows SQL: what it answers in the database of user-service.
rows() { (ROOT=$clone && psql_at "$(database_url user-service)" -At -c "$1"); }

# states: those that --status prints, each once, in one line.
states() { ./start-services.sh --status | awk '{ print ($1 == "database") ? $3 : $2 }' | sort -u | xargs; }

write_ports
# A compiler that finds a fault, before the real one is needed.
mkdir "$work/broken"
cat >"$work/broken/swift" <<'SWIFT'
#!/bin/sh
[ "$1" != --version ] || { echo "Swift version 6.3.1 (swift-6.3.1-RELEASE)"; exit 0; }
echo "Sources/x.swift:1:1: error: cannot find 'y' in scope"
exit 1
SWIFT
chmod +x "$work/broken/swift"
expect_run "a broken build is one sentence" 1 "failed: Sources/x.swift:1:1: error: cannot find 'y' in scope" \
    env PATH="$work/broken:$PATH" ./start-services.sh --detach

printed=$work/printed
status=0
./start-services.sh --no-build --detach >"$printed" 2>&1 </dev/null || status=$?
expect_equal "start" "$status" 0
if ((status != 0)); then
    cat "$printed"
    exit 1
fi
expect_equal "everything is ready" "$(states)" "ready running"
expect_run "a second start" 0 "All of it runs already" ./start-services.sh --no-build --detach

# session: runs what was printed, from the line that sets PHONE to the empty line.
session() { bash -c "$(sed -n '/^PHONE=/,$p' "$printed" | sed '/^$/,$d')" 2>&1; }
output=$(session)
expect_equal "the printed session: profile, logout, refused" "$(grep -E '^[0-9]{3}$' <<<"$output" | xargs)" "200 204 401"
expect_equal "one person has signed in" "$(rows 'select count(*) from users')" 1

expect_run "connections" 0 "ok" ./test-db-connections.py
expect_equal "connections names the schema versions" \
    "$(./test-db-connections.py --json | python3 -c 'import json, sys
print(all(answer["schema"] >= 1 for answer in json.load(sys.stdin).values()))')" True

# A second clone that wants the same ports.
make_clone "$work/second"
cp .env "$work/second/.env"
expect_run "a port in use" 1 "is in use by" "$work/second/start-services.sh" --no-build --detach
expect_equal "and the first clone goes on" "$(states)" "ready running"

# A pid file that names somebody else's process.
sleep 300 &
stranger=$!
mkdir -p "$work/second/.local/run"
echo $stranger >"$work/second/.local/run/otp-service.pid"
"$work/second/start-services.sh" --stop >/dev/null
expect "a stranger's pid is left alone" kill -0 $stranger
kill $stranger

expect_run "empty everything" 0 "admin-service: empty" ./clean-postgres-data.sh --yes
expect_equal "emptied while running" "$(rows 'select count(*) from users')" 0
output=$(session)
expect_equal "and it works on" "$(grep -E '^[0-9]{3}$' <<<"$output" | xargs)" "200 204 401"

"$clone/start-services.sh" --stop >/dev/null
expect_equal "stopped" "$(states)" stopped

# In the foreground, ended by a signal.
setsid ./start-services.sh --no-build >"$work/foreground" 2>&1 </dev/null &
foreground=$!
for _ in $(seq 300); do
    grep -q '^Ctrl-C stops' "$work/foreground" && break
    sleep 0.2
done
expect_equal "in the foreground everything is ready" "$(states)" "ready running"
expect_equal "the data was kept" "$(rows 'select count(*) from users')" 1
kill -TERM $foreground
status=0
wait $foreground || status=$?
expect_equal "ended by a signal" "$status" 143
expect_equal "and nothing is left running" "$(states)" stopped

expect_run "empty one" 0 "user-service: empty" ./clean-postgres-data.sh --service user-service --yes
expect_equal "emptied while stopped, and stopped again" "$(states)" stopped
expect_run "one service with what it needs" 0 "otp-service is ready" ./start-services.sh --no-build --detach -Service otp-service
expect_equal "and not the others" "$(./start-services.sh --status | awk '$2 == "stopped" { print $1 }' | xargs)" \
    "user-service admin-service"
finish
