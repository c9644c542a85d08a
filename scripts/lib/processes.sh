# shellcheck shell=bash
# The simulator and the services as processes in the background: pid files in .local/run, logs in .local/logs. A pid is
# believed, and signalled, only while its executable is the one that we built, since pids are used again.

# log_of PROCESS: the path of its log.
log_of() { printf '%s\n' "$ROOT/.local/logs/$1.log"; }

# pid_of PROCESS: the pid of the running process; false when it does not run.
pid_of() {
    local pid executable mode
    pid=$(cat "$ROOT/.local/run/$1.pid" 2>/dev/null) && [[ $pid =~ ^[0-9]+$ ]] || return 1
    executable=$(readlink "/proc/$pid/exe" 2>/dev/null) || return 1
    # A rebuilt executable leaves the running one marked as deleted.
    executable=${executable% (deleted)}
    for mode in debug release; do
        [[ $executable == "$(readlink -f "$ROOT/.build/$mode" 2>/dev/null)/$1" ]] && echo "$pid" && return 0
    done
    return 1
}

# is_ready PROCESS: whether it answers that it can do its work; the simulator depends on nothing, so that it answers will do.
is_ready() {
    local path=/health/ready
    [[ $1 != "$SIMULATOR" ]] || path=/messages
    curl -fsS -o /dev/null --noproxy '*' --max-time 2 "http://127.0.0.1:$(port_of "$1")$path" 2>/dev/null
}

# start_process PROCESS: in a session of its own, so that Ctrl-C reaches this script alone, which then keeps the order.
start_process() {
    local name=$1 port log
    port=$(port_of "$name")
    log=$(log_of "$name")
    pid_of "$name" >/dev/null && return 0
    require_free_port "$port" "$name" "$(url_variable "$name")"
    mkdir -p "$ROOT/.local/run" "$ROOT/.local/logs"
    [[ ! -s $log ]] || mv -f "$log" "$log.1"
    say "Starting $name on port $port (log: .local/logs/$name.log)"
    (
        cd "$ROOT" || exit 1
        [[ $name != "$SIMULATOR" ]] || export_simulator_settings
        HOST=$(setting HOST 127.0.0.1) PORT=$port exec setsid "$(binary_of "$name")"
    ) >"$log" 2>&1 </dev/null 9>&- &
    echo $! >"$ROOT/.local/run/$name.pid"
    STARTED_PROCESSES+=("$name")
}

# export_simulator_settings: the simulator reads no .env. Whom it accepts, and where its delivery reports go.
export_simulator_settings() {
    MSG91_AUTH_KEY=$(setting MSG91_AUTH_KEY)
    MSG91_TEMPLATE_ID=$(setting MSG91_TEMPLATE_ID)
    export MSG91_AUTH_KEY MSG91_TEMPLATE_ID
    local secret
    secret=$(setting MSG91_WEBHOOK_SECRET)
    if [[ -n $secret && -z ${SIMULATOR_WEBHOOK_URL:-} ]]; then
        SIMULATOR_WEBHOOK_URL=http://127.0.0.1:$(port_of otp-service)/v1/otp/delivery-reports/$secret
        export SIMULATOR_WEBHOOK_URL
    fi
}

# wait_until_ready PROCESS: with a line every five seconds, for a minute at most; ends the script when it is not.
wait_until_ready() {
    local name=$1 began=$SECONDS told=0
    until is_ready "$name"; do
        if ((SECONDS >= began + 2)) && ! pid_of "$name" >/dev/null; then
            tail -n 15 "$(log_of "$name")" >&2
            fail "$name ended while starting; the end of .local/logs/$name.log is above."
        fi
        if ((SECONDS - began >= 60)); then
            tail -n 15 "$(log_of "$name")" >&2
            fail "$name is not ready after 60 s; the end of .local/logs/$name.log is above."
        fi
        if ((SECONDS - began >= told + 5)); then
            told=$((SECONDS - began))
            say "    … waiting for $name ($told s)"
        fi
        sleep 0.1
    done
    say "$name is ready"
}

# stop_processes PROCESS…: asks all at once to finish their work; after 35 s the rest is killed.
stop_processes() {
    local name pid deadline=$((SECONDS + 35)) told=$SECONDS waiting
    for name in "$@"; do
        pid=$(pid_of "$name") || continue
        say "Stopping $name"
        kill -TERM "$pid" 2>/dev/null || true
    done
    while true; do
        waiting=()
        for name in "$@"; do
            pid_of "$name" >/dev/null && waiting+=("$name")
        done
        ((${#waiting[@]} > 0)) || break
        if ((SECONDS >= deadline)); then
            for name in "${waiting[@]}"; do
                warn "$name did not end within 35 s and is killed"
                ! pid=$(pid_of "$name") || kill -KILL "$pid" 2>/dev/null || true
            done
            break
        fi
        if ((SECONDS >= told + 5)); then
            told=$SECONDS
            say "    … waiting for ${waiting[*]} to finish"
        fi
        sleep 0.1
    done
    for name in "$@"; do
        pid_of "$name" >/dev/null || rm -f "$ROOT/.local/run/$name.pid"
    done
}
