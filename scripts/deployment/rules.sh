#!/usr/bin/env bash
# The part `rules` of scripts/check-deployment.sh: Prometheus' rules, and nginx with its routes.
set -euo pipefail
# shellcheck source=scripts/tests/assertions.sh
source "$(dirname "${BASH_SOURCE[0]}")/../tests/assertions.sh"
cd "$ROOT"

for command in "check rules deploy/prometheus/rules/postkey.yml" "check config --syntax-only deploy/prometheus/prometheus.yml" \
    "test rules deploy/prometheus/tests/postkey.yml"; do
    # shellcheck disable=SC2086 # Words of a command.
    if output=$(promtool $command 2>&1); then ok "promtool $command"; else not_ok "promtool $command" "$output"; fi
done

# --- nginx: a server behind each port that says which it is -----------------------------------------------------------

work=$(mktemp -d)
servers=()
trap 'kill "${servers[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

sed "s#/etc/ssl/postkey/#$work/#" deploy/nginx/postkey.conf >"$work/postkey.conf"
for pair in 8081:otp 8082:user 8083:admin; do
    port=$(free_port)
    python3 - "$port" "${pair#*:}" <<'PYTHON' &
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"{sys.argv[2]} {self.headers.get('X-Forwarded-For')}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
PYTHON
    servers+=($!)
    sed -i "s/127.0.0.1:${pair%:*} /127.0.0.1:$port /" "$work/postkey.conf"
done
plain=$(free_port)
tls=$(free_port)
sed -i "s/listen 80;/listen 127.0.0.1:$plain;/; s/listen 443 ssl/listen 127.0.0.1:$tls ssl/; /listen \[::\]/d" "$work/postkey.conf"
openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=id.example.com -keyout "$work/privkey.pem" -out "$work/fullchain.pem" 2>/dev/null
cat >"$work/nginx.conf" <<CONF
daemon off;
pid $work/nginx.pid;
error_log $work/error.log;
worker_processes 1;
events {}
http {
    access_log off;
    client_body_temp_path $work/body;
    proxy_temp_path $work/proxy;
    fastcgi_temp_path $work/fastcgi;
    uwsgi_temp_path $work/uwsgi;
    scgi_temp_path $work/scgi;
    include $work/postkey.conf;
}
CONF
if output=$(nginx -t -c "$work/nginx.conf" 2>&1); then ok "nginx accepts deploy/nginx/postkey.conf"; else
    not_ok "nginx accepts deploy/nginx/postkey.conf" "$output"
    exit 1
fi
nginx -c "$work/nginx.conf" 2>/dev/null &
servers+=($!)

ask() { curl -ksS --noproxy '*' --path-as-is --max-time 5 -o "$work/body.txt" -w '%{http_code}' "$@"; }
for _ in $(seq 50); do
    ask "https://127.0.0.1:$tls/v1/otp/send" >/dev/null 2>&1 && break
    sleep 0.1
done

# leads PATH STATUS [SERVER]
leads() {
    local status
    status=$(ask "https://127.0.0.1:$tls$1") || true
    if [[ $status == "$2" ]] && { [[ -z ${3:-} ]] || [[ $(cat "$work/body.txt") == "$3 "* ]]; }; then
        ok "nginx: $1 is $2 ${3:-}"
    else
        not_ok "nginx: $1 is $2 ${3:-}" "was $status $(head -c 80 "$work/body.txt")"
    fi
}
leads /v1/otp/send 200 otp
leads /v1/otp/challenges/1 200 otp
leads /v1/auth/login 200 user
leads /v1/users/me 200 user
leads /.well-known/jwks.json 200 user
leads /v1/admin/dashboard 200 admin
leads / 200 admin
for path in /internal /internal/users /internal/statistics /metrics /health/live /health/ready /%69nternal/users /v1/otp/../../internal/users //internal/users; do
    leads "$path" 404
done
ask -H 'X-Forwarded-For: 203.0.113.9' "https://127.0.0.1:$tls/v1/otp/send" >/dev/null
expect_equal "nginx: the client's address comes last, whatever the client claims" "$(cat "$work/body.txt")" "otp 203.0.113.9, 127.0.0.1"
expect_equal "nginx: plain HTTP only redirects" "$(ask "http://127.0.0.1:$plain/v1/otp/send")" 301
sed -i 's/allow 127.0.0.1;/deny 127.0.0.1;/' "$work/postkey.conf"
kill -HUP "$(cat "$work/nginx.pid")"
sleep 1
leads /v1/admin/dashboard 403
leads / 403
leads /v1/auth/login 200 user
finish
