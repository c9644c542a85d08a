# shellcheck shell=bash
# What the script tests share: one line for each expectation, and a clone of their own to run the scripts in.

# shellcheck disable=SC2034 # Read by the parts of scripts/lib that a test sources.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
NOT_OK=0

# ok NAME, not_ok NAME [DETAIL]: the two outcomes.
ok() { printf 'ok - %s\n' "$1"; }
not_ok() {
    NOT_OK=$((NOT_OK + 1))
    printf 'not ok - %s\n' "$1"
    [[ -z ${2:-} ]] || printf '%s\n' "$2" | sed 's/^/    /'
}

# expect NAME COMMAND…: it succeeds.
expect() {
    local name=$1
    shift
    if "$@"; then ok "$name"; else not_ok "$name" "failed: $*"; fi
}

# expect_not NAME COMMAND…: it fails.
expect_not() {
    local name=$1
    shift
    if "$@"; then not_ok "$name" "succeeded: $*"; else ok "$name"; fi
}

# expect_equal NAME ACTUAL EXPECTED
expect_equal() {
    if [[ $2 == "$3" ]]; then ok "$1"; else not_ok "$1" "expected '$3', was '$2'"; fi
}

# expect_run NAME CODE TEXT COMMAND…: it ends with CODE within two minutes, and TEXT is in what it printed.
expect_run() {
    local name=$1 code=$2 text=$3 output status=0
    shift 3
    output=$(timeout 120 "$@" 2>&1 </dev/null) || status=$?
    if [[ $status == "$code" && $output == *"$text"* ]]; then
        ok "$name"
    else
        not_ok "$name" "ended with $status instead of $code, or did not print '$text': $output"
    fi
}

# make_clone FOLDER: a copy of the scripts with the executables of this clone, and none of its state.
make_clone() {
    mkdir -p "$1"
    cp -r "$ROOT"/*.sh "$ROOT"/*.py "$ROOT/scripts" "$ROOT/README.md" "$1/"
    ln -s "$ROOT/.build" "$1/.build"
}

# finish: the exit code of a test file.
finish() { ((NOT_OK == 0)); }
