#!/usr/bin/env bash
# The part `terraform` of scripts/check-deployment.sh: the modules' tests, then terraform-apply.sh.
set -euo pipefail
# shellcheck source=scripts/tests/assertions.sh
source "$(dirname "${BASH_SOURCE[0]}")/../tests/assertions.sh"
# shellcheck source=scripts/deployment/tools.sh
source "$ROOT/scripts/deployment/tools.sh"
export CHECKPOINT_DISABLE=1 TF_IN_AUTOMATION=1 TF_INPUT=0 NO_COLOR=1

if ! command -v terraform >/dev/null; then
    echo "not run: Terraform's tests and the apply (terraform is not installed; https://developer.hashicorp.com/terraform/install)"
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$ROOT/terraform" "$work/terraform"
for module in "$work"/terraform/modules/*/; do
    [[ -d $module/tests ]] || continue
    cd "$module"
    rm -rf .terraform
    if ! terraform_init "$work/init.log"; then
        echo "not run: Terraform's tests and the apply (neither a mirror nor the registry has the AWS provider)"
        exit 0
    fi
    # The providers are the same for all: once is enough.
    name=$(basename "$module")
    if terraform test -no-color >"$work/test.log" 2>&1; then
        while IFS= read -r run; do ok "module $name: ${run//_/ }"; done < <(sed -nE 's/^ *run "(.*)"\.\.\. pass$/\1/p' "$work/test.log")
    else
        not_ok "tests of the module $name" "$(tail -n 40 "$work/test.log")"
    fi
done
cd "$ROOT"
# 5.2.1 is what moto_server.py was made for.
if python_tools 'moto[server]==5.2.1' boto3; then
    status=0
    bash "$ROOT/scripts/deployment/terraform-apply.sh" || status=1
    ((status == 0 && NOT_OK == 0))
else
    echo "not run: the apply against moto (moto cannot be installed)"
    finish
fi
