# shellcheck shell=bash
# Tools of the deployment checks: Python packages in a folder of their own, Terraform's provider from where there is one.

readonly TOOLS=${TOOLS:-$ROOT/.local/deployment-tools}

# python_tools PACKAGE…: installs what is missing into TOOLS; false when that cannot be had.
python_tools() {
    [[ -x $TOOLS/bin/python ]] || python3 -m venv "$TOOLS" >/dev/null || return 1
    local package
    for package in "$@"; do
        "$TOOLS/bin/pip" show -q "${package%%[=\[]*}" 2>/dev/null ||
            "$TOOLS/bin/pip" install -q --disable-pip-version-check "$package" || return 1
    done
}

# provider_mirror: the folder of a filesystem mirror with the AWS provider: TF_PLUGIN_DIR, or one that is found.
provider_mirror() {
    local found
    if [[ -n ${TF_PLUGIN_DIR:-} ]]; then
        printf '%s\n' "$TF_PLUGIN_DIR"
        return 0
    fi
    found=$(find /opt /usr/share/terraform /usr/local/share/terraform "$HOME/.terraform.d" -maxdepth 5 -type d \
        -path '*registry.terraform.io/hashicorp/aws' 2>/dev/null | head -n 1) || true
    [[ -n $found ]] && printf '%s\n' "${found%/registry.terraform.io/hashicorp/aws}"
}

# terraform_init LOG: in the current folder, from the mirror or else from the registry; false when neither has it.
terraform_init() {
    local mirror options=(-no-color -backend=false)
    if mirror=$(provider_mirror); then options+=("-plugin-dir=$mirror"); fi
    timeout 180 terraform init "${options[@]}" >"$1" 2>&1
}
