#!/usr/bin/env bash
# Builds Postkey and runs it on this machine: private PostgreSQL clusters, the MSG91 simulator and the three services.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
readonly ROOT
# shellcheck source=scripts/lib/load.sh
source "$ROOT/scripts/lib/load.sh"

BUILD_MODE=debug
ASSUME_YES=false
ACTION=start
DETACH=false
BUILD=true
SERVICES=()
STARTED_PROCESSES=()
STARTED_CLUSTERS=()

usage() {
    cat <<'HELP'
Usage: ./start-services.sh [options]

Installs what is missing, builds, creates the databases, starts the simulator and the services, waits until all are
ready and prints their URLs and a curl session. Ctrl-C stops what was started. Data is kept between runs.

  --service NAME   only otp-service, user-service or admin-service, with what it needs (may be repeated; also -Service)
  --detach         leave all running in the background
  --status         what runs, where; exit code 0 when all of it is ready
  --logs [NAME]    the logs, of all or of one; followed while the output is a terminal
  --stop           stop the services, then the private databases
  --release        build with optimisation
  --no-build       run what is built already
  --yes            install missing packages without asking
  --help           this text

Settings are in .env, which the first run writes; docs/configuration.md explains them.
HELP
}

parse_arguments() {
    while (($# > 0)); do
        case $1 in
            --service | -Service | -service)
                (($# > 1)) || usage_error "$1 needs the name of a service"
                choose_services "$2"
                shift
                ;;
            --service=*) choose_services "${1#*=}" ;;
            --logs)
                ACTION=logs
                if (($# > 1)) && [[ $2 != -* ]]; then
                    LOGS_OF=$2
                    shift
                fi
                ;;
            --detach) DETACH=true ;;
            --status) ACTION=status ;;
            --stop) ACTION=stop ;;
            --release) BUILD_MODE=release ;;
            --no-build) BUILD=false ;;
            --yes | -y) ASSUME_YES=true ;;
            --help | -h) ACTION=usage ;;
            *) usage_error "unknown argument '$1'" ;;
        esac
        shift
    done
    ((${#SERVICES[@]} > 0)) || SERVICES=("${ALL_SERVICES[@]}")
}

# processes: what has to run for the chosen services, in the order of starting.
processes() {
    if [[ " ${SERVICES[*]} " == *" otp-service "* ]] && simulator_wanted; then echo "$SIMULATOR"; fi
    printf '%s\n' "${SERVICES[@]}"
}

# with_private_databases: those of the chosen services whose database is a cluster of ours.
with_private_databases() {
    local service
    for service in "${SERVICES[@]}"; do
        ! is_private "$(database_url "$service")" || echo "$service"
    done
}

all_ready() {
    local name
    for name in "$@"; do
        pid_of "$name" >/dev/null && is_ready "$name" || return 1
    done
}

start() {
    local wanted server=''
    [[ $(uname -s) == Linux ]] || fail "this script is for Debian and Ubuntu; README.md tells what to do elsewhere."
    mkdir -p "$ROOT/.local/run" "$ROOT/.local/logs"
    exec 9>"$ROOT/.local/lock"
    flock -n 9 || fail "another start-services.sh is at work in this folder: wait until it is done."
    mapfile -t wanted < <(processes)
    if [[ -e $ROOT/.env ]] && all_ready "${wanted[@]}"; then
        say "All of it runs already (./start-services.sh --stop ends it)."
        announce "${wanted[@]}"
        return 0
    fi
    ! $BUILD || require_swift
    write_dotenv
    mapfile -t wanted < <(processes)
    require_free_ports "${wanted[@]}"
    [[ -z $(with_private_databases) ]] || server=server
    # shellcheck disable=SC2046 # Names of packages, one a line.
    install_packages $(missing_packages "$server")
    if $BUILD; then build_products "${wanted[@]}"; else require_built "${wanted[@]}"; fi
    trap 'stop_what_was_started' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    start_databases
    start_all "${wanted[@]}"
    announce "${wanted[@]}"
    exec 9>&-
    if $DETACH; then
        trap - EXIT
        say
        say "All of it runs in the background: --status, --logs and --stop of this script look after it."
    else
        say
        say "Ctrl-C stops what this run started; ./start-services.sh --logs in another terminal shows the logs."
        watch_processes "${wanted[@]}"
    fi
}

# require_free_ports PROCESS…: before the long work; a port can still be taken in the meantime, so each start looks again.
require_free_ports() {
    local name
    for name in "$@"; do
        pid_of "$name" >/dev/null || require_free_port "$(port_of "$name")" "$name" "$(url_variable "$name")"
    done
    for name in $(with_private_databases); do
        cluster_is_running "$(database_of "$name")" ||
            require_free_port "$(url_port "$(database_url "$name")")" "the database of $name" "$(database_variable "$name")"
    done
}

start_databases() {
    local service url variable
    step "Databases"
    for service in "${SERVICES[@]}"; do
        variable=$(database_variable "$service")
        url=$(database_url "$service")
        [[ -n $url ]] || fail "$variable is not set: set it in the environment or in .env."
        if is_private "$url"; then
            start_cluster "$service"
        else
            say "$service uses the database of $variable: $(url_without_password "$url")"
        fi
        (cd "$ROOT" && "$(binary_of "$service")" migrate 9>&-) ||
            fail "the database of $service could not be migrated; its message is above (./clean-postgres-data.sh would begin anew)."
    done
}

start_all() {
    local name
    step "Services"
    for name in "$@"; do start_process "$name"; done
    for name in "$@"; do wait_until_ready "$name"; done
}

announce() {
    print_urls "$@"
    print_session "$@"
}

# stop_what_was_started: services before what they depend on; also when a start failed halfway.
stop_what_was_started() {
    local name
    trap '' INT TERM HUP
    trap - EXIT
    ((${#STARTED_PROCESSES[@]} + ${#STARTED_CLUSTERS[@]} > 0)) || return 0
    step "Stopping"
    stop_processes "${STARTED_PROCESSES[@]}"
    for name in "${STARTED_CLUSTERS[@]}"; do stop_cluster "$name"; done
}

# watch_processes PROCESS…: until Ctrl-C, or until one of them ends.
watch_processes() {
    local name
    while true; do
        for name in "$@"; do
            pid_of "$name" >/dev/null && continue
            [[ -e $ROOT/.local/run/$name.pid ]] || exit 0 # --stop, from another terminal
            tail -n 15 "$(log_of "$name")" >&2
            fail "$name has ended; the end of .local/logs/$name.log is above."
        done
        sleep 1
    done
}

stop() {
    local wanted service
    mapfile -t wanted < <(processes)
    stop_processes "${wanted[@]}"
    for service in "${SERVICES[@]}"; do stop_cluster "$(database_of "$service")"; done
    say "Stopped: ${wanted[*]}. The data is kept."
}

status() {
    local wanted name database pid state code=0
    mapfile -t wanted < <(processes)
    for name in $(with_private_databases); do
        database=$(database_of "$name")
        state=stopped
        if cluster_is_running "$database"; then state=running; else code=1; fi
        printf '%-16s %-10s %-9s %s\n' "database $database" "$state" - "127.0.0.1:$(url_port "$(database_url "$name")")"
    done
    for name in "${wanted[@]}"; do
        if ! pid=$(pid_of "$name"); then
            state=stopped pid=- code=1
        elif is_ready "$name"; then
            state=ready
        else
            state='not ready' code=1
        fi
        printf '%-16s %-10s %-9s %s\n' "$name" "$state" "$pid" "$(base_url "$name")"
    done
    return $code
}

logs() {
    local wanted files=() name
    mapfile -t wanted < <(processes)
    if [[ -n ${LOGS_OF:-} ]]; then
        [[ $LOGS_OF == "$SIMULATOR" ]] || LOGS_OF=$(service_named "$LOGS_OF") || usage_error "there is no such log"
        wanted=("$LOGS_OF")
    fi
    for name in "${wanted[@]}"; do
        [[ ! -e $(log_of "$name") ]] || files+=("$(log_of "$name")")
    done
    ((${#files[@]} > 0)) || fail "there is no log of ${wanted[*]} yet: start it first."
    if [[ -t 1 ]]; then exec tail -n 50 -F "${files[@]}"; else exec tail -n 100 "${files[@]}"; fi
}

parse_arguments "$@"
"$ACTION"
