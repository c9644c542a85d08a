#!/usr/bin/env bash
# Builds the release, measures it against PostgreSQL's own limit, and writes docs/benchmarks.md.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
readonly ROOT
# shellcheck source=scripts/lib/load.sh
source "$ROOT/scripts/lib/load.sh"

usage() {
    cat <<'HELP'
Usage: scripts/benchmark.sh [--quick] [--rounds N] [--yes]
       scripts/benchmark.sh --outbox [--quick] [--yes]
       scripts/benchmark.sh --console [--ten-million] [--data FOLDER [--only-make]] [--quick] [--yes]

Starts a private PostgreSQL, the services and the simulator, measures the figures of docs/benchmarks.md as ratios against
pgbench in the same run, and stops everything. --quick: rounds of 3 s instead of 10 s. Sends to this machine only.

With --outbox it measures how soon a message is at the gateway, how fast ten thousand are, and what a million limits that ran
out cost a send, and writes docs/benchmarks-outbox.md.

With --console it asks each page and endpoint of the console instead, over 100,000 and a million made-up users, and writes
docs/benchmarks-console.md. --ten-million: over ten million too, which takes half an hour to make and 15 GB of disk. --data: keeps
the made-up people in FOLDER for the next time. --only-make: makes them and measures nothing.
HELP
}

# shellcheck disable=SC2034 # Read by scripts/lib/packages.sh.
ASSUME_YES=false
arguments=()
products=(otp-service user-service msg91-simulator postkey-benchmark)
while (($# > 0)); do
    case $1 in
        --quick | --ten-million | --only-make) arguments+=("$1") ;;
        --outbox)
            arguments+=("$1")
            products=(otp-service msg91-simulator)
            ;;
        --console)
            arguments+=("$1")
            products=(otp-service user-service admin-service msg91-simulator postkey-seed)
            ;;
        --data)
            [[ ${2:-} == /* ]] || usage_error "--data wants the absolute path of a folder"
            arguments+=(--data "$2")
            shift
            ;;
        --rounds)
            [[ ${2:-} =~ ^[1-9][0-9]?$ ]] || usage_error "--rounds wants a number from 1 to 99"
            arguments+=(--rounds "$2")
            shift
            ;;
        --yes | -y) ASSUME_YES=true ;;
        --help | -h)
            usage
            exit 0
            ;;
        *) usage_error "unknown argument '$1'" ;;
    esac
    shift
done

require_swift
mapfile -t missing < <(missing_packages server)
command -v wrk >/dev/null || missing+=(wrk)
command -v python3 >/dev/null || missing+=(python3)
install_packages "${missing[@]}"
cd "$ROOT"
binaries=${POSTKEY_EXECUTABLES:-}
if [[ -z $binaries ]]; then
    for product in "${products[@]}"; do
        step "Building $product for release"
        swift build "${RELEASE_OPTIONS[@]}" --product "$product" 2>&1 | narrate "building $product"
    done
    binaries=$(swift build -c release --show-bin-path)
fi
mkdir -p docs
exec python3 Benchmarks/benchmark.py --binaries "$binaries" --postgres "$(dirname "$(postgres_program pgbench)")" "${arguments[@]}"
