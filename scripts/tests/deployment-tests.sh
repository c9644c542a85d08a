#!/usr/bin/env bash
# What of the deployment can be checked in seconds; scripts/check-deployment.sh does what takes minutes. A check whose tool
# is not there says so in one line.
set -euo pipefail
# shellcheck source=scripts/tests/assertions.sh
source "$(dirname "${BASH_SOURCE[0]}")/assertions.sh"
# shellcheck source=scripts/deployment/tools.sh
source "$ROOT/scripts/deployment/tools.sh"
cd "$ROOT"

# passes NAME COMMAND…: as expect, with what the command printed where it fails.
passes() {
    local name=$1 output
    shift
    if output=$("$@" 2>&1); then ok "$name"; else not_ok "$name" "$(tail -n 20 <<<"$output")"; fi
}

# --- One truth everywhere ---------------------------------------------------------------------------------------------

if python_tools pyyaml check-jsonschema; then
    "$TOOLS/bin/python" scripts/tests/deployment_agreement.py || NOT_OK=$((NOT_OK + 1))
    passes "docker-compose.yml follows the compose specification" \
        "$TOOLS/bin/check-jsonschema" --builtin-schema vendor.compose-spec docker-compose.yml
    passes "the workflow follows GitHub's schema" \
        "$TOOLS/bin/check-jsonschema" --builtin-schema vendor.github-workflows .github/workflows/ci.yml
elif python3 -c 'import yaml' 2>/dev/null; then
    python3 scripts/tests/deployment_agreement.py || NOT_OK=$((NOT_OK + 1))
    echo "not run: the schemas of compose and workflow (check-jsonschema cannot be installed)"
else
    echo "not run: agreement of compose, Terraform, nginx and code (PyYAML cannot be installed)"
fi

# --- Shell ------------------------------------------------------------------------------------------------------------

passes "shellcheck of the deployment's scripts" \
    shellcheck scripts/deployment/*.sh deploy/aws/*.sh deploy/image/*.sh deploy/compose/*.sh
for script in deploy/aws/push-images.sh deploy/aws/migrate.sh deploy/aws/run-task.sh scripts/check-deployment.sh; do
    expect "$script can be run" test -x "$script"
    expect_run "$script --help" 0 "Usage: " "./$script" --help
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/secrets/otp" "$work/secrets/common"
# The job of compose, with its folders elsewhere and without the change of owner that needs root in a container.
sed "s#/secrets/#$work/secrets/#g; s/chown 10001:10001/true/" deploy/compose/secrets.sh >"$work/secrets.sh"
expect_run "the job for secrets makes them" 0 "The secrets are there." sh "$work/secrets.sh"
first=$(cat "$work/secrets/otp/.env" "$work/secrets/common/.env")
expect "each has 256 bits" test "$(grep -cE '^(JWT|OTP)_SECRET_KEY=[0-9a-f]{64}$' <<<"$first")" = 3
expect_equal "the token key is the same for all" "$(grep -h JWT "$work/secrets/otp/.env")" "$(grep -h JWT "$work/secrets/common/.env")"
expect_not "only otp-service has the key of the codes" grep -q OTP_SECRET "$work/secrets/common/.env"
sh "$work/secrets.sh" >/dev/null
expect_equal "a second run changes nothing" "$(cat "$work/secrets/otp/.env" "$work/secrets/common/.env")" "$first"

# --- Scripts for AWS, with clients that write down what they are asked -------------------------------------------------

if command -v jq >/dev/null; then
    mkdir -p "$work/bin"
    cat >"$work/bin/terraform" <<'FAKE'
#!/usr/bin/env bash
case "$*" in
    *migration_task) echo '{"admin-service": {"region": "r", "cluster": "c", "task_definition": "f", "subnets": ["s"], "security_groups": ["g"]}}' ;;
    *log_groups) echo '{"admin-service": "/l"}' ;;
esac
FAKE
    cat >"$work/bin/aws" <<'FAKE'
#!/usr/bin/env bash
echo "$*" >>"$CALLS"
case "$2" in
    run-task) echo arn:aws:ecs:r:1:task/c/0123 ;;
    describe-tasks) echo "${EXIT_CODE:-0}" ;;
    get-log-events) echo '["otpauth://totp/x"]' ;;
esac
FAKE
    chmod +x "$work/bin/terraform" "$work/bin/aws"
    export CALLS=$work/calls
    expect_run "run-task.sh shows what the task said" 0 "otpauth://totp/x" \
        env PATH="$work/bin:$PATH" deploy/aws/run-task.sh admin-service create-admin --phone +919876543210 --role owner
    expect "it hands the command over as it is" grep -qF '"command":["create-admin","--phone","+919876543210","--role","owner"]' "$CALLS"
    expect "it deletes the log that shows the secret" grep -q '^logs delete-log-stream .*--log-stream-name task/admin-service/0123' "$CALLS"
    : >"$CALLS"
    expect_run "run-task.sh fails where the task failed" 1 "ended with 1" \
        env PATH="$work/bin:$PATH" EXIT_CODE=1 deploy/aws/run-task.sh admin-service check
    expect_not "it keeps other logs" grep -q delete-log-stream "$CALLS"
else
    echo "not run: the scripts for AWS (jq is not installed)"
fi

# --- Terraform --------------------------------------------------------------------------------------------------------

if command -v terraform >/dev/null; then
    export CHECKPOINT_DISABLE=1 TF_IN_AUTOMATION=1
    passes "terraform fmt" terraform fmt -check -recursive terraform
    cp -r terraform "$work/terraform"
    if (cd "$work/terraform" && rm -rf .terraform ./*.tfstate* && terraform_init "$work/init.log"); then
        passes "terraform validate" terraform -chdir="$work/terraform" validate -no-color
        (cd "$work/terraform/bootstrap" && terraform_init "$work/init.log") || true
        passes "terraform validate of the bootstrap" terraform -chdir="$work/terraform/bootstrap" validate -no-color
    else
        echo "not run: terraform validate (neither a mirror nor the registry has the AWS provider)"
    fi
else
    echo "not run: terraform fmt and validate (terraform is not installed)"
fi

# --- Prometheus -------------------------------------------------------------------------------------------------------

if command -v promtool >/dev/null; then
    passes "promtool check rules" promtool check rules deploy/prometheus/rules/postkey.yml
    passes "promtool check config" promtool check config --syntax-only deploy/prometheus/prometheus.yml
    passes "promtool test rules" promtool test rules deploy/prometheus/tests/postkey.yml
else
    echo "not run: promtool on the alert rules (the package prometheus is not installed; scripts/check-deployment.sh installs it)"
fi
finish
