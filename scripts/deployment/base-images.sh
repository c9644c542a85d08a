# shellcheck shell=bash
# The images that Dockerfile and compose name: pulled, or, where no registry is reached, stood in for by Debian's own
# packages under the same names. Needs root for the latter.

# Where stand-ins are unpacked.
readonly BASES=$ROOT/.local/base-images

readonly PROMETHEUS_IMAGE=docker.io/prom/prometheus:v2.53.4

# is_there IMAGE: on this machine already.
is_there() { podman image exists "$1"; }

# stand_in IMAGE PACKAGES CHANGE…: Debian bookworm with packages, under the name of an official image.
stand_in() {
    local image=$1 packages=$2 folder change options=()
    shift 2
    folder=$BASES/$(tr -c 'a-z0-9\n' - <<<"$image")
    for change in "$@"; do options+=(--change "$change"); done
    if [[ ! -e $folder.done ]]; then
        rm -rf "$folder"
        mkdir -p "$folder"
        debootstrap --variant=minbase ${packages:+--include="$packages"} bookworm "$folder" >"$folder.log" 2>&1 || return 1
        rm -rf "$folder"/var/cache/apt/archives/*.deb
        touch "$folder.done"
    fi
    ! declare -F "prepare_$(basename "${image%%:*}")" >/dev/null || "prepare_$(basename "${image%%:*}")" "$folder"
    tar -C "$folder" -c . | podman import -q "${options[@]}" - "$image" >/dev/null
}

# prepare_swift FOLDER: the compiler is mounted from this machine (build_options); with its settings of git, where a mirror
# of the packages may be named.
prepare_swift() {
    [[ ! -e /etc/gitconfig ]] || cp /etc/gitconfig "$1/etc/gitconfig"
}

prepare_postgres() {
    install -m 755 "$ROOT/scripts/deployment/postgres-entrypoint.sh" "$1/usr/local/bin/docker-entrypoint.sh"
}

# toolchain: the folder with the Swift toolchain of this machine.
toolchain() {
    local swift
    swift=$(readlink -f "$(command -v swift)") || return 1
    printf '%s\n' "${swift%/usr/bin/*}"
}

# official IMAGE: pulled unless it is there; false when no registry has it.
official() { is_there "$1" || timeout 300 podman pull -q "$1" >/dev/null 2>&1; }

# base_images: all that are needed; sets STAND_INS to those that are not the official ones.
base_images() {
    local swift=docker.io/library/swift:6.3-bookworm slim=docker.io/library/debian:bookworm-slim postgres=docker.io/library/postgres:17-alpine
    STAND_INS=()
    mkdir -p "$BASES"
    official "$slim" || { stand_in "$slim" "" && STAND_INS+=("$slim"); } || return 1
    official "$postgres" || {
        stand_in "$postgres" postgresql 'ENTRYPOINT ["/usr/local/bin/docker-entrypoint.sh"]' 'CMD ["postgres"]' 'EXPOSE 5432' &&
            STAND_INS+=("$postgres")
    } || return 1
    # Without it only the profile is not run.
    official "$PROMETHEUS_IMAGE" || { stand_in "$PROMETHEUS_IMAGE" prometheus 'ENTRYPOINT ["/usr/bin/prometheus"]' && STAND_INS+=("$PROMETHEUS_IMAGE"); } || true
    official "$swift" || {
        stand_in "$swift" ca-certificates,git,libc6-dev,libstdc++-12-dev,gcc,g++,binutils,pkg-config,libxml2,libedit2,libsqlite3-0,libcurl4,libpython3.11,zlib1g-dev,tzdata,libncurses6 \
            "ENV PATH=$(toolchain)/usr/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" && STAND_INS+=("$swift")
    } || return 1
}

# build_options: what the build needs where the Swift image is a stand-in, one a line: toolchain and package mirrors.
build_options() {
    local path
    podman run --rm --no-healthcheck docker.io/library/swift:6.3-bookworm swift --version >/dev/null 2>&1 && return 0
    printf '%s\n' "--volume=$(toolchain):$(toolchain):ro" --network=host
    while IFS= read -r path; do
        [[ $path == /* && -d $path ]] && printf '%s\n' "--volume=${path%/}:${path%/}:ro"
    done < <(git config --system --get-regexp '^url\..*\.insteadof$' 2>/dev/null | sed -nE 's/^url\.(.*)\.insteadof .*/\1/p' | sort -u)
    return 0
}
