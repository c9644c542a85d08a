#!/usr/bin/env bash
# Builds the images of the three services and pushes them to ECR.
set -euo pipefail
# shellcheck source=deploy/aws/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if [[ ${1:-} == --help || ${1:-} == -h || $# -gt 1 ]]; then
    echo "Usage: deploy/aws/push-images.sh [TAG]     TAG is the commit where it is left out"
    exit $(($# > 1 ? 2 : 0))
fi
need docker aws jq terraform curl git

cd "$AWS_SCRIPTS/../.."
tag=${1:-$(git rev-parse --short=12 HEAD)}
urls=$(tf_output ecr_repository_urls)
platform=linux/arm64
[[ $(tf_output cpu_architecture) != '"X86_64"' ]] || platform=linux/amd64

# verify-full checks the database's certificate against these, which Amazon publishes.
curl -fsS --retry 3 -o deploy/certificates/rds-global-bundle.pem \
    https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem

registry=$(jq -r '.["otp-service"]' <<<"$urls")
registry=${registry%%/*}
region=$(cut -d. -f4 <<<"$registry")
aws ecr get-login-password --region "$region" | docker login --username AWS --password-stdin "$registry" >/dev/null
for service in "${SERVICES[@]}"; do
    image=$(jq -r --arg service "$service" '.[$service]' <<<"$urls"):$tag
    echo "Building and pushing $image ($platform) …"
    docker buildx build --platform "$platform" --provenance=false --target "$service" --tag "$image" --push .
done

# Terraform reads it at the next apply, and at every one after it.
printf 'image_tag = "%s"\n' "$tag" >"$TERRAFORM_FOLDER/image.auto.tfvars"
echo "Next: deploy/aws/migrate.sh, then terraform apply."
