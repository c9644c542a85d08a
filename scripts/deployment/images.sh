#!/usr/bin/env bash
# The part `images` of scripts/check-deployment.sh: the images built, and the whole compose file run with Podman.
set -euo pipefail
# shellcheck source=scripts/tests/assertions.sh
source "$(dirname "${BASH_SOURCE[0]}")/../tests/assertions.sh"
# shellcheck source=scripts/deployment/tools.sh
source "$ROOT/scripts/deployment/tools.sh"
# shellcheck source=scripts/deployment/base-images.sh
source "$ROOT/scripts/deployment/base-images.sh"
cd "$ROOT"

for tool in podman runc netavark; do
    command -v $tool >/dev/null || [[ -x /usr/lib/podman/$tool ]] || { echo "not run: images and compose ($tool is not installed)"; exit 0; }
done
python_tools podman-compose || { echo "not run: images and compose (podman-compose cannot be installed)"; exit 0; }

work=$(mktemp -d)
# Limits that hold in a sandbox as well, and no systemd for health checks: the checks are asked from here.
cat >"$work/containers.conf" <<'CONF'
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
CONF
export CONTAINERS_CONF=$work/containers.conf
quietly() { "$@" 2> >(grep -vE 'systemd connection|syslog' >&2); }

# --- Images -----------------------------------------------------------------------------------------------------------

base_images || { echo "not run: images and compose (no registry is reached, and Debian's packages are not either)"; exit 0; }
((${#STAND_INS[@]} == 0)) || echo "Standing in for official images: ${STAND_INS[*]}"
mapfile -t options < <(build_options)
for target in otp-service user-service admin-service msg91-simulator; do
    if nice podman build --format docker "${options[@]}" --target "$target" -t "localhost/postkey/$target:dev" . \
        >"$work/build.log" 2>&1; then
        ok "image $target"
    else
        not_ok "image $target" "$(grep -E 'error:|Error' "$work/build.log" | head -n 20)"
        exit 1
    fi
done
no_shell() { ! podman run --rm --no-healthcheck --entrypoint /bin/sh "localhost/postkey/$1:dev" -c true 2>/dev/null; }
image() { podman image inspect --format "$2" "localhost/postkey/$1:dev"; }
for service in otp-service user-service admin-service; do
    size=$(image "$service" '{{.Size}}')
    expect "$service: $((size / 1000000)) MB, under 150" test "$size" -lt 150000000
    expect_equal "$service: a numeric user" "$(image "$service" '{{.Config.User}}')" 10001:10001
    expect_equal "$service: its own health check" "$(podman image inspect "localhost/postkey/$service:dev" | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["Healthcheck"]["Test"][1:])')" "['/app/$service', 'health']"
    expect "$service: no shell" no_shell "$service"
done

# --- Compose ----------------------------------------------------------------------------------------------------------

# A project of its own on free ports, beside whatever runs on this machine.
project=postkeycheck$$
compose() { quietly "$TOOLS/bin/podman-compose" -p "$project" -f docker-compose.yml "$@"; }
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
for variable in OTP_PORT USER_PORT ADMIN_PORT SIMULATOR_PORT OTP_DB_PORT USER_DB_PORT ADMIN_DB_PORT PROMETHEUS_PORT; do
    printf -v "POSTKEY_$variable" '%s' "$(free_port)"
    export "POSTKEY_${variable?}"
done
take_down() {
    compose --profile observability down -v -t 5 >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap take_down EXIT

container() { printf '%s_%s_1\n' "$project" "$1"; }

# healthy SERVICE: its health check of docker-compose.yml, asked inside its container.
healthy() {
    case $1 in
        *-db) podman exec "$(container "$1")" pg_isready -q -h 127.0.0.1 ;;
        msg91-simulator) curl -fsS -o /dev/null --noproxy '*' "http://127.0.0.1:$POSTKEY_SIMULATOR_PORT/messages" ;;
        *) podman exec "$(container "$1")" "/app/$1" health --ready ;;
    esac >/dev/null 2>&1
}

# comes_up SERVICE [SECONDS]
comes_up() {
    local until=$((SECONDS + ${2:-60}))
    until healthy "$1"; do
        if ((SECONDS >= until)); then
            podman logs --tail 15 "$(container "$1")" >&2 || true
            return 1
        fi
        sleep 0.5
    done
}

# job SERVICE: runs to its end with 0.
job() {
    local code
    compose up -d --no-deps "$1" >"$work/job.log" 2>&1 || { cat "$work/job.log"; return 1; }
    code=$(timeout 120 podman wait "$(container "$1")")
    [[ $code == 0 ]] || { podman logs "$(container "$1")"; return 1; }
}

# In the order of depends_on, whose conditions this version of Podman cannot wait for.
expect "compose: secrets are made" job secrets
for part in otp user admin; do
    compose up -d --no-deps $part-db >/dev/null 2>&1 || true
    expect "compose: $part-db is healthy" comes_up $part-db
    expect "compose: $part-migrate ends with 0" job $part-migrate
done
for service in msg91-simulator otp-service user-service admin-service; do
    compose up -d --no-deps $service >/dev/null 2>&1 || true
    expect "compose: $service is healthy" comes_up $service
done
for service in otp-service user-service admin-service; do
    expect_equal "compose: the root of $service is read-only" "$(podman inspect --format '{{.HostConfig.ReadonlyRootfs}}' "$(container $service)")" true
    expect_equal "compose: $service has no capability" "$(podman inspect --format '{{.EffectiveCaps}}' "$(container $service)")" "[]"
done

# smoke: the session of README.md on the ports of this project.
smoke() {
    sed "s/127\.0\.0\.1:8081/127.0.0.1:$POSTKEY_OTP_PORT/g; s/127\.0\.0\.1:8082/127.0.0.1:$POSTKEY_USER_PORT/g; s/127\.0\.0\.1:8090/127.0.0.1:$POSTKEY_SIMULATOR_PORT/g" \
        README.md >"$work/README.md"
    README=$work/README.md scripts/deployment/smoke.sh
}
expect "compose: the session of README.md" smoke
if command -v psql >/dev/null; then
    expect_equal "compose: the databases are where the documents say" "$(PGPASSWORD=postkey psql -X -A -t -h 127.0.0.1 -p "$POSTKEY_USER_DB_PORT" -U postkey users -c 'select count(*) > 0 from users' 2>&1)" t
fi

# reported: a delivery report of the simulator has reached otp-service, by the secret that both have.
reported() {
    for _ in $(seq 60); do
        curl -fsS --noproxy '*' "http://127.0.0.1:$POSTKEY_OTP_PORT/metrics" | grep -E '^otp_delivery_reports_total\{' |
            grep -v 'unknown' | grep -qE ' [1-9][0-9]*$' && return 0
        sleep 0.5
    done
    return 1
}
expect "compose: the simulator reports deliveries" reported
operator() {
    local output
    output=$(podman exec "$(container admin-service)" /app/admin-service create-admin --phone +919876543210 --role owner)
    [[ $output == *otpauth://totp/* ]]
}
expect "compose: the first operator is made in the running container" operator

# --- Observability ----------------------------------------------------------------------------------------------------

# sample QUERY: the value that Prometheus has, or nothing.
sample() {
    curl -fsS --noproxy '*' -G "http://127.0.0.1:$POSTKEY_PROMETHEUS_PORT/api/v1/query" --data-urlencode "query=$1" 2>/dev/null |
        python3 -c 'import json, sys; r = json.load(sys.stdin)["data"]["result"]; print(r[0]["value"][1] if r else "")' 2>/dev/null
}
# sees QUERY VALUE: within a minute.
sees() {
    for _ in $(seq 60); do
        [[ $(sample "$1") == "$2" ]] && return 0
        sleep 1
    done
    podman logs --tail 5 "$(container prometheus)" >&2 || true
    return 1
}
# refused_questions: those of the dashboards that Prometheus cannot read; one that is none of its language, to begin with.
refused_questions() {
    python3 - "http://127.0.0.1:$POSTKEY_PROMETHEUS_PORT/api/v1/query" deploy/grafana/dashboards/*.json <<'PYTHON'
import json
import sys
import urllib.error
import urllib.parse
import urllib.request


def understood(question):
    question = question.replace("$__rate_interval", "5m").replace("$__range", "1h")
    try:
        urllib.request.urlopen(sys.argv[1] + "?" + urllib.parse.urlencode({"query": question}), timeout=10)
        return True
    except urllib.error.HTTPError:
        return False


assert not understood("sum by (")
for path in sys.argv[2:]:
    for panel in json.load(open(path))["panels"]:
        for target in panel["targets"]:
            if not understood(target["expr"]):
                print(path, target["expr"])
PYTHON
}
if is_there "$PROMETHEUS_IMAGE"; then
    compose --profile observability up -d --no-deps prometheus >"$work/prometheus.log" 2>&1 || cat "$work/prometheus.log"
    expect "observability: Prometheus reads all three services" sees 'sum(up{job="postkey"})' 3
    expect "observability: the sign-in of before is counted" sees 'sum(sign_ins_total{outcome="opened"}) > bool 0' 1
    expect "observability: the alerts are loaded" test "$(curl -fsS --noproxy '*' "http://127.0.0.1:$POSTKEY_PROMETHEUS_PORT/api/v1/rules?type=alert" | grep -o '"name":"[A-Z][A-Za-z]*"' | wc -l)" -ge 14
    expect_equal "observability: Prometheus understands every question of the dashboards" "$(refused_questions)" ""
else
    echo "not run: Prometheus in compose (there is no image of it)"
fi
for extra in grafana postgres-exporter; do
    name=$(sed -nE "s#^    image: (\S*$extra:\S+)#\1#p" docker-compose.yml)
    is_there "$name" || is_there "docker.io/$name" || echo "not run: $extra in compose (no registry is reached, and Debian has no package that would do)"
done

# --- Kill each; it heals ----------------------------------------------------------------------------------------------

pid_in() { podman inspect --format '{{.State.Pid}}' "$(container "$1")"; }

# heals SERVICE: what restart: unless-stopped does. The process is killed from the host: after `podman kill` a container is
# meant to stay down. Another process must then run in its place.
heals() {
    local before after=0
    before=$(pid_in "$1")
    ((before > 1)) || return 1
    kill -KILL "$before"
    for _ in $(seq 80); do
        after=$(pid_in "$1")
        ((after > 1 && after != before)) && break
        sleep 0.25
    done
    ((after > 1 && after != before)) && comes_up "$1" 60
}
for service in otp-service user-service admin-service msg91-simulator otp-db user-db admin-db; do
    expect "kill: $service comes back" heals $service
done
for service in otp-service user-service admin-service; do expect "kill: $service is healthy after all of it" comes_up $service; done
expect "kill: the session of README.md after all of it" smoke

# --- Restore: what docs/operations.md says keeps revoked sessions revoked ----------------------------------------------

# shellcheck disable=SC2016 # Markdown.
sed -n '/^   ```sql$/,/^   ```$/p' docs/operations.md | sed '1d;$d' >"$work/restore.sql"
restore() {
    local user=http://127.0.0.1:$POSTKEY_USER_PORT token status
    token=$(sign_in)
    [[ $(curl -sS -o /dev/null -w '%{http_code}' "$user/v1/users/me" -H "Authorization: Bearer $token") == 200 ]] || return 1
    podman exec -i "$(container user-db)" psql -X -q -v ON_ERROR_STOP=1 -U postkey users <"$work/restore.sql" || return 1
    status=$(curl -sS -o /dev/null -w '%{http_code}' "$user/v1/users/me" -H "Authorization: Bearer $token")
    [[ $status == 401 ]]
}
# sign_in: prints an access token; the first lines of the session.
sign_in() {
    bash -c "$(sed -n '/^PHONE=/,/^TOKEN=/p' "$work/README.md"); echo \"\$TOKEN\""
}
expect "restore: the SQL of docs/operations.md ends every session" restore
# statement PART TABLE: the one in the text for that table is good in that database.
statement() {
    local sql
    # shellcheck disable=SC2016 # Markdown.
    sql=$(grep -oE "\`update $2 [^\`]*;\`" docs/operations.md | tr -d '\`')
    [[ -n $sql ]] && podman exec "$(container "$1-db")" psql -X -q -v ON_ERROR_STOP=1 -U postkey "$1" -c "$sql"
}
expect "restore: the statement for challenges" statement otp challenges
expect "restore: the statement for operators' sessions" statement admin admin_sessions
finish
