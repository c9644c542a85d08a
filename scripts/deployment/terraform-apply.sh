#!/usr/bin/env bash
# The whole life of an environment, with the real AWS provider against a moto server: first apply without images, empty
# plan, a version with rotated secrets, empty plan, destroy. Prints `ok - …` and `not ok - …`.
#
# What this does not prove: permissions, quotas, what AWS accepts beyond its schema, and tasks that really run.
set -euo pipefail
# shellcheck source=scripts/tests/assertions.sh
source "$(dirname "${BASH_SOURCE[0]}")/../tests/assertions.sh"
# shellcheck source=scripts/deployment/tools.sh
source "$(dirname "${BASH_SOURCE[0]}")/tools.sh"

work=$(mktemp -d)
export AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing AWS_REGION=ap-south-1 AWS_DEFAULT_REGION=ap-south-1
export AWS_MAX_ATTEMPTS=3 AWS_EC2_METADATA_DISABLED=true TF_IN_AUTOMATION=1 TF_INPUT=0 CHECKPOINT_DISABLE=1 NO_COLOR=1
# Given here only: they must be in no file that Terraform writes.
export TF_VAR_msg91_auth_key=auth-key-that-no-state-may-hold TF_VAR_msg91_template_id=5fabcdefabcdefabcdef0123
unset AWS_PROFILE AWS_SESSION_TOKEN

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
AWS_ENDPOINT_URL=http://127.0.0.1:$port
MOTO_IAM_LOAD_MANAGED_POLICIES=true MOTO_ECS_SERVICE_RUNNING=2 \
    "$TOOLS/bin/python" "$ROOT/scripts/deployment/moto_server.py" -H 127.0.0.1 -p "$port" >"$work/moto.log" 2>&1 &
server=$!
trap 'kill $server 2>/dev/null || true; rm -rf "$work"' EXIT
for _ in $(seq 100); do
    curl -fsS -o /dev/null --noproxy '*' "$AWS_ENDPOINT_URL/moto-api/" 2>/dev/null && break
    sleep 0.2
done

cp -r "$ROOT/terraform" "$work/terraform"
cd "$work/terraform"
rm -rf .terraform ./*.tfstate ./*.auto.tfvars terraform.tfvars backend.tf
terraform_init "$work/init.log" || { not_ok "terraform init" "$(tail -n 5 "$work/init.log")"; exit 1; }

arguments=(-no-color -var environment=dev -var token_algorithm=EdDSA -var db_deletion_protection=false -var monthly_budget_usd=500
    -var 'alarm_emails=["ops@example.com"]' -var 'admin_allowed_cidrs=["203.0.113.0/24"]')

# secret NAME [STAGE]: the value that Secrets Manager has.
secret() {
    "$TOOLS/bin/python" - "$1" "${2:-AWSCURRENT}" <<'PYTHON'
import sys

import boto3

client = boto3.client("secretsmanager")
print(client.get_secret_value(SecretId=sys.argv[1], VersionStage=sys.argv[2])["SecretString"], end="")
PYTHON
}

# secrets_in FILE…: the names of those secrets whose value is in one of the files.
secrets_in() {
    "$TOOLS/bin/python" - "$@" <<'PYTHON'
import json
import sys

import boto3

client = boto3.client("secretsmanager")
texts = [open(path, encoding="utf-8", errors="replace").read() for path in sys.argv[1:]]
secrets = client.list_secrets()["SecretList"]
assert len(secrets) == 8, f"{len(secrets)} secrets"
for secret in secrets:
    value = client.get_secret_value(SecretId=secret["ARN"])["SecretString"]
    value = json.loads(value)["password"] if value.startswith("{") else value
    assert len(value) >= 20
    if any(value in text for text in texts):
        print(secret["Name"])
PYTHON
}

# step NAME COMMAND…: with the log shown where it fails.
step_of() {
    local name=$1
    shift
    if "$@" >"$work/step.log" 2>&1; then ok "$name"; else
        not_ok "$name" "$(grep -A 12 -E '^(│ )?Error' "$work/step.log" | head -n 60)"
        exit 1
    fi
}

step_of "first apply, without images" terraform apply -auto-approve -parallelism=20 "${arguments[@]}"
step_of "the second plan is empty" terraform plan -detailed-exitcode "${arguments[@]}"
expect "the NAT address is told" grep -qE '^\[?"?[0-9]' <<<"$(terraform output -json nat_public_ips)"
expect_equal "no service without an image" "$(terraform state list | grep -c aws_ecs_service.this || true)" 0
token_key=$(secret postkey-dev/token-key)

version=(-var image_tag=0123456789ab -var token_key_version=2 -var otp_key_version=2 -var private_key_version=2 -var db_credentials_version=2 -var msg91_secret_version=2)
step_of "plan of a version" terraform plan -out="$work/plan" "${arguments[@]}" "${version[@]}"
terraform show -json "$work/plan" >"$work/plan.json"
step_of "a version with new secrets" terraform apply -auto-approve -parallelism=20 "${arguments[@]}" "${version[@]}"
step_of "the plan after it is empty" terraform plan -detailed-exitcode "${arguments[@]}" "${version[@]}"
# The scripts of deploy/aws, with AWS' own client against the same server.
if command -v jq >/dev/null && python_tools awscli; then
    printf '%s\n' 'environment = "dev"' 'db_deletion_protection = false' 'monthly_budget_usd = 500' 'alarm_emails = ["ops@example.com"]' \
        'admin_allowed_cidrs = ["203.0.113.0/24"]' 'token_algorithm = "EdDSA"' 'image_tag = "0123456789ab"' 'token_key_version = 2' \
        'otp_key_version = 2' 'private_key_version = 2' 'db_credentials_version = 2' 'msg91_secret_version = 2' >"$work/version.tfvars"
    step_of "deploy/aws/migrate.sh runs a task for each schema" env PATH="$TOOLS/bin:$PATH" TERRAFORM_FOLDER="$work/terraform" \
        LOG_WAIT=0 TF_CLI_ARGS_apply="-var-file=$work/version.tfvars -no-color" "$ROOT/deploy/aws/migrate.sh"
    expect_equal "it ran three" "$(grep -c ': task .* runs "migrate"' "$work/step.log")" 3
    expect_not "deploy/aws/run-task.sh knows no other service" env PATH="$TOOLS/bin:$PATH" TERRAFORM_FOLDER="$work/terraform" \
        "$ROOT/deploy/aws/run-task.sh" sms-service migrate
else
    echo "not run: deploy/aws/migrate.sh (jq or awscli is missing)"
fi
step_of "the plan after it is still empty" terraform plan -detailed-exitcode "${arguments[@]}" "${version[@]}"
expect_equal "three services" "$(terraform state list | grep -c aws_ecs_service.this || true)" 3
expect_equal "the token key before stays readable as the previous one" "$(secret postkey-dev/token-key AWSPREVIOUS)" "$token_key"
expect_not "the token key is another" test "$(secret postkey-dev/token-key)" = "$token_key"
expect "the tasks read the previous key" grep -q 'AWSPREVIOUS' terraform.tfstate
expect_equal "no secret is in the state, its backup or the plan" "$(secrets_in terraform.tfstate terraform.tfstate.backup "$work/plan.json")" ""
expect_not "the key of MSG91 is in none of them" grep -q "$TF_VAR_msg91_auth_key" terraform.tfstate terraform.tfstate.backup "$work/plan.json"
expect_not "no resource of another store" grep -qiE 'elasticache|memorydb|redis|valkey' terraform.tfstate "$work/plan.json"

# Each validation of a variable refuses what it should.
terraform test -no-color >"$work/step.log" 2>&1 || true
while IFS= read -r run; do ok "variables: ${run//_/ }"; done < <(sed -nE 's/^ *run "(.*)"\.\.\. pass$/\1/p' "$work/step.log")
expect "terraform test passes" grep -q '^Success! .* 0 failed' "$work/step.log" || true
grep -q '^Success!' "$work/step.log" || sed -n '/^Error/,$p' "$work/step.log"
step_of "destroy" terraform destroy -auto-approve -parallelism=20 "${arguments[@]}" "${version[@]}"
expect_equal "nothing is left in the state" "$(terraform state list)" ""

# Another shape: Aurora with readers, a name with its certificate, endpoints, images from the first apply on.
zone=$("$TOOLS/bin/python" -c '
import boto3

print(boto3.client("route53").create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"].split("/")[-1])')
aurora=(-no-color -var environment=staging -var db_engine=aurora-postgresql -var db_deletion_protection=false -var image_tag=0123456789ab
    -var enable_interface_endpoints=true -var domain_name=id.example.com -var "route53_zone_id=$zone")
step_of "apply with Aurora, certificate and endpoints" terraform apply -auto-approve -parallelism=20 "${aurora[@]}"
step_of "the plan after it is empty" terraform plan -detailed-exitcode "${aurora[@]}"
expect_equal "the API has its name" "$(terraform output -raw api_url)" https://id.example.com
expect_equal "each service has a reader" "$(terraform output -json db_reader_endpoints | grep -o 'cluster-ro-' | wc -l)" 3
expect_not "no secret is in the state" grep -q "$TF_VAR_msg91_auth_key" terraform.tfstate
step_of "destroy of it" terraform destroy -auto-approve -parallelism=20 "${aurora[@]}"
finish
