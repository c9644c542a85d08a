# shellcheck shell=bash
# What the machine must have: Swift, and system packages from apt. All needs only bash and dpkg.

readonly SWIFT_URL=https://www.swift.org/install/linux
readonly BUILD_PACKAGES=(libpq-dev libssl-dev libcurl4-openssl-dev libphonenumber-dev libqrencode-dev)

# require_swift: ends with one sentence when Swift is missing or too old.
require_swift() {
    local version
    command -v swift >/dev/null ||
        fail "Swift is missing (no 'swift' on the PATH): install Swift 6.2 or newer from $SWIFT_URL and run this again."
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
    [[ $version =~ ^([0-9]+)\.([0-9]+)$ ]] || fail "'swift --version' does not tell a version: install Swift from $SWIFT_URL."
    ((BASH_REMATCH[1] > 6 || (BASH_REMATCH[1] == 6 && BASH_REMATCH[2] >= 2))) ||
        fail "Swift $version is too old: install Swift 6.2 or newer from $SWIFT_URL."
}

# is_installed PACKAGE: by dpkg's own record.
is_installed() { [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

# missing_packages SERVER?: what apt has to bring, one a line; `server` asks for a PostgreSQL server too.
missing_packages() {
    local package
    if command -v dpkg-query >/dev/null; then
        for package in "${BUILD_PACKAGES[@]}"; do
            is_installed "$package" || echo "$package"
        done
    fi
    postgres_program psql >/dev/null || echo postgresql-client
    [[ ${1:-} != server ]] || postgres_program initdb >/dev/null || echo postgresql
    command -v curl >/dev/null || echo curl
}

# as_root COMMAND…: through sudo unless this is root already.
as_root() {
    if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

# install_packages PACKAGE…: asks first when somebody can answer and --yes was not given.
install_packages() {
    (($# > 0)) || return 0
    command -v apt-get >/dev/null ||
        fail "missing here: $*. This is no Debian or Ubuntu: install what corresponds to these packages, then run this again."
    step "Missing system packages: $*"
    if [[ ${ASSUME_YES:-false} == false && -t 0 ]]; then
        confirm "Install them with apt-get?" || fail "without these packages nothing can be built: $*."
    fi
    ((EUID == 0)) || command -v sudo >/dev/null ||
        fail "installing packages needs root and there is no sudo: run 'apt-get install $*' as root, then this again."
    run_apt "$@" 2>&1 | narrate "installing packages" || fail "apt-get could not install $*; its own message is above."
}

# run_apt PACKAGE…: brings the lists up to date and installs.
run_apt() {
    local folder=/etc/postgresql-common/createcluster.d status=0
    # A stale list, or a broken repository of another program, need not stop the installation.
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 update || true
    # Debian's package would start a server of its own, perhaps on a port that we are about to use.
    as_root mkdir -p "$folder"
    echo 'create_main_cluster = false' | as_root tee "$folder/postkey.conf" >/dev/null
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 install \
        --no-install-recommends "$@" || status=$?
    as_root rm -f "$folder/postkey.conf"
    return $status
}
