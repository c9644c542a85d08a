# shellcheck shell=bash
# What the scripts say: plain sentences, problems on standard error, and a sign of life at least every ten seconds.

# say TEXT: one line for the reader; that nobody reads on (`| head`) must not keep the script from stopping things.
say() { printf '%s\n' "$*" 2>/dev/null || true; }

# step TEXT: the heading of the next thing that is done.
step() { say $'\n'"==> $*"; }

# warn TEXT: something the reader should know, but that stops nothing.
warn() { printf 'warning: %s\n' "$*" >&2; }

# fail TEXT: one sentence, then the end with exit code 1.
fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# usage_error TEXT: a mistake on the command line; exit code 2.
usage_error() {
    printf 'error: %s (see --help)\n' "$*" >&2
    exit 2
}

# confirm QUESTION: true for yes. The caller has made sure that standard input is a terminal.
confirm() {
    local answer
    read -r -p "$1 [y/N] " answer || return 1
    [[ $answer == [yY] || $answer == [yY][eE][sS] ]]
}

# narrate LABEL: passes lines through and, whenever nothing came for eight seconds, says that LABEL still goes on.
narrate() {
    local label=$1 line partial='' status began=$SECONDS
    while true; do
        if IFS= read -r -t 8 line; then
            printf '%s\n' "$partial$line"
            partial=
            continue
        else
            status=$?
        fi
        partial+=$line
        # Above 128 the read ran out of time; otherwise the input has ended, perhaps without a last newline.
        if ((status <= 128)); then
            [[ -z $partial ]] || printf '%s\n' "$partial"
            return 0
        fi
        printf '    … still %s (%d s)\n' "$label" $((SECONDS - began))
    done
}
