#!/usr/bin/env bash
# Every check of this repository: installs what is missing, then format, shell, build, Swift tests, script tests.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
readonly ROOT
# shellcheck source=scripts/lib/load.sh
source "$ROOT/scripts/lib/load.sh"

# shellcheck disable=SC2034 # Read by scripts/lib/build.sh.
BUILD_MODE=debug
ASSUME_YES=false
PASSED=0
FAILED=0
FAILURES=()

usage() {
    cat <<'HELP'
Usage: scripts/test.sh [--yes]

Installs what is missing (asks first, unless --yes is given or nobody is there), checks the format of the sources and
the shell scripts, builds, and runs all tests. The tests run a PostgreSQL of their own. The last line counts them.
HELP
}

# passed and failed NAME: one more of either.
passed() { PASSED=$((PASSED + 1)); }
failed() {
    FAILED=$((FAILED + 1))
    FAILURES+=("$1")
}

# check NAME COMMAND…: a check that either holds or does not.
check() {
    local name=$1
    shift
    step "$name"
    if "$@" 2>&1 </dev/null | narrate "$name"; then passed; else failed "$name"; fi
}

prepare() {
    local missing=()
    require_swift
    mapfile -t missing < <(missing_packages server)
    command -v shellcheck >/dev/null || missing+=(shellcheck)
    command -v python3 >/dev/null || missing+=(python3)
    install_packages "${missing[@]}"
    mkdir -p "$ROOT/.local/logs"
    cd "$ROOT"
}

check_shell() { shellcheck ./*.sh .ci/run scripts/*.sh scripts/lib/*.sh scripts/tests/*.sh; }

# run_swift_tests: one module after the other, since many tests are about time and signals; inside a module the tests
# run in parallel.
run_swift_tests() {
    local folder
    for folder in Tests/*Tests; do
        # The browser's tests are Python and run with the scripts'.
        [[ -z $(find "$folder" -name '*.swift' -print -quit) ]] || run_module "$(basename "$folder")"
    done
}

# run_module NAME: counts what Swift Testing says; a crash, which leaves no closing line, is a failure as well.
run_module() {
    local name=$1 log=$ROOT/.local/logs/$1.log closing total bad status=0
    step "$name"
    swift test --skip-build --disable-xctest --filter "^$name\\." 2>&1 </dev/null | tee "$log" |
        shorten | narrate "$name" || status=$?
    closing=$(grep -E 'Test run with [0-9]+ tests? .*(passed|failed) after' "$log" | tail -n 1) || true
    total=$(sed -nE 's/.*Test run with ([0-9]+) tests?.*/\1/p' <<<"$closing")
    bad=$(grep -cE '^[^A-Za-z]*Test .* failed after .* with [0-9]+ issue' "$log") || true
    [[ $closing != *failed* ]] || bad=$((bad - 1))
    if [[ -z $total ]]; then
        failed "$name (ended with $status, without a closing line: .local/logs/$name.log)"
        return 0
    fi
    PASSED=$((PASSED + total - bad))
    FAILED=$((FAILED + bad))
    ((bad == 0)) || FAILURES+=("$bad tests of $name (.local/logs/$name.log)")
    ((status == 0 || bad > 0)) || failed "$name ended with $status"
    ((total > 0)) || failed "$name has no test"
}

# shorten: what began and the single arguments are only in the log.
shorten() { grep --line-buffered -vE '^[^A-Za-z]*(Test|Suite) .* started\.$|^[^A-Za-z]*Test case |^$' || true; }

# run_script_tests: each file prints `ok - what` and `not ok - what`.
run_script_tests() {
    local file name log status
    for file in scripts/tests/*-tests.sh; do
        name=$(basename "$file" .sh)
        log=$ROOT/.local/logs/$name.log
        status=0
        step "$name"
        bash "$file" 2>&1 </dev/null | tee "$log" | narrate "$name" || status=$?
        PASSED=$((PASSED + $(grep -c '^ok - ' "$log" || true)))
        while IFS= read -r line; do failed "$name: ${line#not ok - }"; done < <(grep '^not ok - ' "$log" || true)
        ((status == 0)) || grep -q '^not ok - ' "$log" || failed "$name ended with $status"
    done
}

summarize() {
    local failure
    say
    for failure in "${FAILURES[@]}"; do say "FAILED: $failure"; done
    say "$PASSED passed, $FAILED failed"
    ((FAILED == 0))
}

case ${1:-} in
    '') ;;
    --yes | -y) ASSUME_YES=true ;;
    --help | -h)
        usage
        exit 0
        ;;
    *) usage_error "unknown argument '$1'" ;;
esac
prepare
check "Format of the Swift sources" swift format lint --strict --parallel --recursive Package.swift Sources Tests Benchmarks
check "Shell scripts" check_shell
check "Build" swift build --build-tests
if ((FAILED == 0)) || [[ " ${FAILURES[*]} " != *" Build "* ]]; then
    run_swift_tests
    run_script_tests
fi
summarize
