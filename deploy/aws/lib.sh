# shellcheck shell=bash
# What the scripts of this folder share: Terraform's outputs, and running one task to its end.

AWS_SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
readonly AWS_SCRIPTS
readonly TERRAFORM_FOLDER=${TERRAFORM_FOLDER:-$AWS_SCRIPTS/../../terraform}
# shellcheck disable=SC2034 # Read by the scripts.
readonly SERVICES=(otp-service user-service admin-service)

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

need() {
    local tool
    for tool in "$@"; do
        command -v "$tool" >/dev/null || fail "this needs $tool on the PATH."
    done
}

# tf_output NAME: as JSON.
tf_output() {
    terraform -chdir="$TERRAFORM_FOLDER" output -json "$1" 2>/dev/null ||
        fail "Terraform has no output $1: run 'terraform apply' in $TERRAFORM_FOLDER first."
}

# run_task SERVICE COMMAND…: runs the service's one-off task with a command, waits for its end, and shows its log. Sets
# LOG_STREAM to the options by which that log is named.
run_task() {
    local service=$1 settings region cluster family network overrides arn code id output=
    shift
    settings=$(tf_output migration_task | jq -e --arg service "$service" '.[$service]') || fail "there is no service $service."
    region=$(jq -r .region <<<"$settings")
    cluster=$(jq -r .cluster <<<"$settings")
    family=$(jq -r .task_definition <<<"$settings")
    network=$(jq -c '{awsvpcConfiguration: {subnets: .subnets, securityGroups: .security_groups, assignPublicIp: "DISABLED"}}' <<<"$settings")
    overrides=$(printf '%s\n' "$@" | jq -Rnc --arg name "$service" '{containerOverrides: [{name: $name, command: [inputs]}]}')
    arn=$(aws ecs run-task --region "$region" --cluster "$cluster" --launch-type FARGATE --task-definition "$family" \
        --network-configuration "$network" --overrides "$overrides" --started-by deploy --query 'tasks[0].taskArn' --output text)
    [[ $arn == arn:* ]] || fail "ECS did not start the task of $service."
    id=${arn##*/}
    printf '%s: task %s runs "%s" …\n' "$service" "$id" "$*"
    aws ecs wait tasks-stopped --region "$region" --cluster "$cluster" --tasks "$arn"
    code=$(aws ecs describe-tasks --region "$region" --cluster "$cluster" --tasks "$arn" --query 'tasks[0].containers[0].exitCode' --output text)
    LOG_STREAM=(--region "$region" --log-group-name "$(tf_output log_groups | jq -r --arg service "$service" '.[$service]')"
        --log-stream-name "task/$service/$id")
    # The log arrives some seconds after the task has ended.
    for _ in 1 2 3 4 5 6; do
        output=$(aws logs get-log-events "${LOG_STREAM[@]}" --start-from-head --query 'events[].message' --output json 2>/dev/null | jq -r '.[]') || true
        [[ -z $output ]] || break
        sleep "${LOG_WAIT:-5}"
    done
    [[ -z $output ]] || printf '%s\n' "$output"
    [[ $code == 0 ]] || fail "the task of $service ended with ${code/None/no exit code (it did not start; see the stopped task in ECS)}."
}
