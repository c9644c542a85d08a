# shellcheck shell=bash
# Building the executables, with every line of progress shown.

# binary_of PRODUCT: the path of a built executable.
binary_of() { printf '%s\n' "$ROOT/.build/$BUILD_MODE/$1"; }

# A release carries its own Swift runtime, without what it does not use: less memory, and nothing to install beside it.
# shellcheck disable=SC2034 # Read by scripts/benchmark.sh too.
readonly RELEASE_OPTIONS=(-c release --static-swift-stdlib -Xlinker --gc-sections)

# build_products PRODUCT…: `swift build` for each; ends with one sentence when one does not compile.
build_products() {
    local product log=$ROOT/.local/logs/build.log options=(-c debug)
    [[ $BUILD_MODE != release ]] || options=("${RELEASE_OPTIONS[@]}")
    mkdir -p "$ROOT/.local/logs"
    : >"$log"
    for product in "$@"; do
        step "Building $product ($BUILD_MODE; the first build takes some minutes)"
        if ! swift build --package-path "$ROOT" "${options[@]}" --product "$product" 2>&1 </dev/null 9>&- |
            tee -a "$log" | narrate "building $product"; then
            fail "the build of $product failed: $(first_compiler_error "$log") (all of it: .local/logs/build.log)"
        fi
    done
}

# first_compiler_error LOG: the line that explains a failed build best.
first_compiler_error() {
    local line
    # A line that names a place in a file says more than the command that failed.
    line=$(grep -m 1 -E '^/?[^: ]+:[0-9]+:[0-9]+: error:' "$1" || grep -m 1 -E '(^|[: ])error:' "$1") || line="see above"
    line=${line#"$ROOT/"}
    printf '%s\n' "${line:0:200}"
}

# require_built PRODUCT…: for --no-build.
require_built() {
    local product
    for product in "$@"; do
        [[ -x $(binary_of "$product") ]] || fail "$product is not built yet: leave --no-build out."
    done
}
