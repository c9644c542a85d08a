#!/usr/bin/env bash
# Brings the schemas up to date with the version in terraform/image.auto.tfvars, before the services of that version start.
set -euo pipefail
# shellcheck source=deploy/aws/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if (($# > 0)); then
    echo "Usage: deploy/aws/migrate.sh     (arguments of terraform, like -var-file, in TF_CLI_ARGS_apply)"
    [[ $1 == --help || $1 == -h ]] && exit 0
    exit 2
fi
need aws jq terraform

# Only the definitions of the migration tasks, so that they have the new image while the old services go on.
targets=()
for service in "${SERVICES[@]}"; do targets+=("-target=module.service[\"$service\"].aws_ecs_task_definition.migrate"); done
terraform -chdir="$TERRAFORM_FOLDER" apply -auto-approve "${targets[@]}"
for service in "${SERVICES[@]}"; do run_task "$service" migrate; done
