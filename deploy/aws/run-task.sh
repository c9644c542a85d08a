#!/usr/bin/env bash
# Runs a command of a service once, inside the network and with the settings of the running ones, and prints its log.
set -euo pipefail
# shellcheck source=deploy/aws/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if (($# < 2)); then
    echo "Usage: deploy/aws/run-task.sh SERVICE COMMAND…     as in: admin-service create-admin --phone +919876543210 --role owner"
    [[ ${1:-} == --help || ${1:-} == -h ]] && exit 0
    exit 2
fi
need aws jq terraform
run_task "$@"
if [[ $2 == create-admin ]]; then
    # What it printed lets its reader sign in, and must not stay in a log.
    aws logs delete-log-stream "${LOG_STREAM[@]}"
    echo "The log of this task is deleted: what is above cannot be shown again."
fi
