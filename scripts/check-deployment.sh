#!/usr/bin/env bash
# The checks of the deployment that take minutes. A check whose tool cannot be had says so in one line.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
readonly ROOT
# shellcheck source=scripts/lib/load.sh
source "$ROOT/scripts/lib/load.sh"
# shellcheck source=scripts/deployment/tools.sh
source "$ROOT/scripts/deployment/tools.sh"

readonly PARTS=(rules policy terraform images)
# shellcheck disable=SC2034 # Read by scripts/lib/packages.sh.
ASSUME_YES=false
PASSED=0
FAILED=0
NOT_RUN=()
FAILURES=()

usage() {
    cat <<'HELP'
Usage: scripts/check-deployment.sh [--yes] [PART…]

  rules       Prometheus' alert rules with their tests; nginx with its routes, before servers that tell who was asked
  policy      checkov on Terraform and Dockerfile, hadolint
  terraform   the modules' tests, then the life of an environment with the real AWS provider against a moto server:
              apply, empty plan, rotation, empty plan, every validation, destroy; again with Aurora (about 15 minutes)
  images      the images built and the whole compose file run with Podman, the session of README.md, and a kill of
              each container (about 30 minutes, most of it the Swift compiler)

All parts where none is named. Installs what is missing (asks first, unless --yes is given or nobody is there).
HELP
}

# tally LOG: counts the lines of a part.
tally() {
    local line
    PASSED=$((PASSED + $(grep -c '^ok - ' "$1" || true)))
    while IFS= read -r line; do
        FAILED=$((FAILED + 1))
        FAILURES+=("${line#not ok - }")
    done < <(grep '^not ok - ' "$1" || true)
    while IFS= read -r line; do NOT_RUN+=("${line#not run: }"); done < <(grep '^not run: ' "$1" || true)
}

# part NAME: runs its script and counts what it printed.
part() {
    local log=$ROOT/.local/logs/deployment-$1.log status=0
    step "$1"
    bash "$ROOT/scripts/deployment/$1.sh" 2>&1 </dev/null | tee "$log" | narrate "$1" || status=$?
    tally "$log"
    if ((status != 0)) && ! grep -q '^not ok - ' "$log"; then
        FAILED=$((FAILED + 1))
        FAILURES+=("$1 ended with $status (.local/logs/deployment-$1.log)")
    elif ! grep -qE '^(ok|not ok|not run:)' "$log"; then
        FAILED=$((FAILED + 1))
        FAILURES+=("$1 checked nothing")
    fi
}

# packages_of PART: what apt has to bring for it.
packages_of() {
    case $1 in
        rules)
            command -v promtool >/dev/null || echo prometheus
            command -v nginx >/dev/null || echo nginx-light
            command -v openssl >/dev/null || echo openssl
            ;;
        images)
            command -v podman >/dev/null || printf '%s\n' podman runc iptables netavark aardvark-dns catatonit
            command -v debootstrap >/dev/null || echo debootstrap
            ;;
    esac
    command -v python3 >/dev/null || printf '%s\n' python3 python3-venv
    command -v curl >/dev/null || echo curl
}

chosen=()
while (($# > 0)); do
    case $1 in
        --yes | -y) ASSUME_YES=true ;;
        --help | -h)
            usage
            exit 0
            ;;
        -*) usage_error "unknown argument '$1'" ;;
        *)
            [[ " ${PARTS[*]} " == *" $1 "* ]] || usage_error "there is no part '$1'; there are ${PARTS[*]}"
            chosen+=("$1")
            ;;
    esac
    shift
done
((${#chosen[@]} > 0)) || chosen=("${PARTS[@]}")

mkdir -p "$ROOT/.local/logs"
cd "$ROOT"
mapfile -t missing < <(for name in "${chosen[@]}"; do packages_of "$name"; done | sort -u)
((${#missing[@]} == 0)) || install_packages "${missing[@]}"
for name in "${chosen[@]}"; do part "$name"; done

say
for line in "${NOT_RUN[@]}"; do say "not run: $line"; done
for line in "${FAILURES[@]}"; do say "FAILED: $line"; done
say "$PASSED passed, $FAILED failed, ${#NOT_RUN[@]} skipped"
((FAILED == 0))
