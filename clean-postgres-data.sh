#!/usr/bin/env bash
# Empties the databases of this clone: everything in the schema `public` is dropped and the migrations are applied anew.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
readonly ROOT
# shellcheck source=scripts/lib/load.sh
source "$ROOT/scripts/lib/load.sh"

BUILD_MODE=debug
ASSUME_YES=false
FORCE=false
SERVICES=()
STARTED_CLUSTERS=()

usage() {
    cat <<'HELP'
Usage: ./clean-postgres-data.sh [options]

Deletes all data of the services and leaves each database with an empty, current schema. Works while the services run
and while they are stopped. Databases on other machines are refused.

  --service NAME   only the database of otp-service, user-service or admin-service (may be repeated)
  --yes            do not ask
  --force          also a database that is not on this machine
  --help           this text
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
            --yes | -y) ASSUME_YES=true ;;
            --force) FORCE=true ;;
            --help | -h)
                usage
                exit 0
                ;;
            *) usage_error "unknown argument '$1'" ;;
        esac
        shift
    done
    ((${#SERVICES[@]} > 0)) || SERVICES=("${ALL_SERVICES[@]}")
}

# judge_databases: refuses before anything is touched.
judge_databases() {
    local service url
    for service in "${SERVICES[@]}"; do
        url=$(database_url "$service")
        [[ -n $url ]] || fail "$(database_variable "$service") is not set: run ./start-services.sh once, or set it."
        $FORCE || is_local "$url" ||
            fail "the database of $service is not on this machine ($(url_without_password "$url")): --force empties it all the same."
    done
}

ask() {
    local service
    say "This deletes all data in:"
    for service in "${SERVICES[@]}"; do
        say "  $service: $(url_without_password "$(database_url "$service")")"
    done
    $ASSUME_YES && return 0
    [[ -t 0 ]] || fail "nobody is there to answer: give --yes to delete without asking."
    confirm "Delete it?" || fail "nothing was deleted."
}

# migrator SERVICE: its executable, the newest that is built; built now if there is none.
migrator() {
    local newest
    newest=$(find "$ROOT/.build/debug/$1" "$ROOT/.build/release/$1" -maxdepth 0 -printf '%T@ %p\n' 2>/dev/null |
        sort -rn | head -n 1 | cut -d ' ' -f 2-)
    printf '%s\n' "${newest:-$(binary_of "$1")}"
}

empty_database() {
    local service=$1 url
    url=$(database_url "$service")
    ! is_private "$url" || start_cluster "$service"
    [[ -x $(migrator "$service") ]] || { require_swift && build_products "$service"; }
    # One transaction; behind a service that holds a lock it waits ten seconds, not for ever.
    psql_at "$url" -1 >/dev/null <<'SQL' || fail "the data of $service could not be deleted; the message of PostgreSQL is above."
set local client_min_messages = warning;
set local lock_timeout = '10s';
drop schema if exists public cascade;
create schema public;
SQL
    (cd "$ROOT" && "$(migrator "$service")" migrate) ||
        fail "$service is empty, but its schema could not be made; the message is above."
    say "$service: empty, with a current schema."
}

stop_started_clusters() {
    local name
    trap - EXIT
    for name in "${STARTED_CLUSTERS[@]}"; do stop_cluster "$name"; done
}

parse_arguments "$@"
judge_databases
ask
trap 'stop_started_clusters' EXIT
for service in "${SERVICES[@]}"; do empty_database "$service"; done
