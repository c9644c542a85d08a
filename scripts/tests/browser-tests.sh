#!/usr/bin/env bash
# The console in headless Chromium, where Chromium can be had; says so in one line where it cannot.
set -euo pipefail
# shellcheck source=scripts/tests/assertions.sh
source "$(dirname "${BASH_SOURCE[0]}")/assertions.sh"
# shellcheck source=scripts/lib/load.sh
source "$ROOT/scripts/lib/load.sh"

readonly BROWSER_PACKAGES=(chromium chromium-driver python3-selenium)
readonly AXE=$ROOT/.local/browser-tests/axe_playwright_python/axe.min.js

# python_with MODULE: a Python that has it, the system's own included, which Debian's packages are for.
python_with() {
    local python
    for python in python3 /usr/bin/python3; do
        if "$python" -c "import $1" 2>/dev/null; then
            echo "$python"
            return 0
        fi
    done
    return 1
}

have_browser() { command -v chromium >/dev/null && command -v chromedriver >/dev/null && python_with selenium >/dev/null; }

# get_browser: from Debian, when this may be done without asking anybody.
get_browser() {
    have_browser && return 0
    command -v apt-get >/dev/null || return 1
    ((EUID == 0)) || sudo -n true 2>/dev/null || return 1
    run_apt "${BROWSER_PACKAGES[@]}" >/dev/null 2>&1 || return 1
    have_browser
}

# get_axe: axe-core out of the one Python package that carries it, pinned by its hash.
get_axe() {
    local python
    [[ ! -f $AXE ]] || return 0
    python=$(python_with pip) || return 1
    "$python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
        --target "$ROOT/.local/browser-tests" -r "$ROOT/Tests/BrowserTests/requirements.txt" >/dev/null 2>&1
}

if ! get_browser; then
    echo "skipped: no browser tests, since Chromium, its driver and python3-selenium are not here (apt-get install ${BROWSER_PACKAGES[*]})"
    exit 0
fi
axe=()
if get_axe; then axe=("$AXE"); else echo "skipped: accessibility is not judged, since axe-core could not be had from PyPI"; fi
CHROMIUM=$(command -v chromium) CHROMEDRIVER=$(command -v chromedriver) \
    "$(python_with selenium)" "$ROOT/Tests/BrowserTests/console_tests.py" "$ROOT/.build/debug" "${axe[@]}"
