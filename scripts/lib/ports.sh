# shellcheck shell=bash
# Who listens where, read from /proc so that no tool is needed; `ss` only adds the name of the holder.

# port_is_taken PORT: whether anything on this machine listens on that TCP port.
port_is_taken() {
    local hex
    printf -v hex '%04X' "$1"
    # Fields: slot, local address:port, remote address:port, state; 0A is LISTEN.
    grep -qE "^ *[0-9]+: [0-9A-F]+:$hex [0-9A-F]+:[0-9A-F]+ 0A " /proc/net/tcp /proc/net/tcp6 2>/dev/null
}

# port_holder PORT: `pid 4711 (nginx)` when that can be known, else `another program`.
port_holder() {
    local holder=
    if command -v ss >/dev/null; then
        holder=$(ss -H -l -t -n -p "sport = :$1" 2>/dev/null |
            sed -n 's/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/pid \2 (\1)/p' | head -n 1)
    fi
    printf '%s\n' "${holder:-another program}"
}

# require_free_port PORT OWNER VARIABLE: ends with one sentence when the port is taken.
require_free_port() {
    ! port_is_taken "$1" ||
        fail "port $1 of $2 is in use by $(port_holder "$1"): end that, or change the port of $3 in .env."
}
