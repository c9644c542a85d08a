#!/usr/bin/env bash
# What the documents say against what is there: the session, the variables, the links.
set -euo pipefail
# shellcheck source=scripts/tests/assertions.sh
source "$(dirname "${BASH_SOURCE[0]}")/assertions.sh"
# shellcheck source=scripts/lib/load.sh
source "$ROOT/scripts/lib/load.sh"
cd "$ROOT"

# The session with the ports of a fresh clone, whatever .env of this one says.
expected=$(
    ROOT=/nonexistent
    unset OTP_SERVICE_URL USER_SERVICE_URL MSG91_BASE_URL
    curl_session
)
expect_equal "the session in README.md is the one that is printed" \
    "$(sed -n '/^PHONE=/,/^```/p' README.md | sed '$d')" "$expected"

# variables_in_code: what the services and the simulator read: a name in quotes at a call of their readers.
variables_in_code() {
    find Sources -name '*.swift' -exec cat {} + | tr -s '\n ' ' ' |
        grep -oE '(reader\.[a-zA-Z]+\( ?|url\(reader, |databaseVariable = |value\()"[A-Z][A-Z0-9_]{3,}"' |
        grep -oE '[A-Z][A-Z0-9_]{3,}'
}
# The rows of the tables: | `NAME` | …, or several names in one row.
# shellcheck disable=SC2016 # Backquotes of Markdown.
documented=$(sed -nE 's/^\| ((`[A-Z][A-Z0-9_]+`(, )?)+) \|.*/\1/p' README.md | grep -oE '[A-Z][A-Z0-9_]+' | sort -u)
for variable in $(variables_in_code | sort -u); do
    expect "README.md explains $variable" grep -qx "$variable" <<<"$documented"
done
for variable in $documented; do
    expect "$variable is read somewhere" grep -rqE "\b$variable\b" Sources scripts/lib
done

# Links to files, and the scripts that the text names.
for document in README.md docs/*.md; do
    while IFS= read -r target; do
        expect "$document: $target exists" test -e "$(dirname "$document")/$target"
    done < <(grep -oE '\]\([^)#:]+\)' "$document" | sed 's/^](//; s/)$//' | sort -u)
done
for script in ./start-services.sh ./clean-postgres-data.sh ./test-db-connections.py scripts/test.sh .ci/run; do
    expect "$script can be run" test -x "$script"
done
finish
