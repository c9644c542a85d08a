#!/usr/bin/env bash
# The session of README.md against whatever listens on the documented ports: a phone signs in, sees its profile (200),
# logs out (204), and the token is refused (401).
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
session=$(sed -n "/^PHONE=/,/^\`\`\`/p" "${README:-$ROOT/README.md}" | sed '$d')
[[ $session == PHONE=* ]] || { echo "README.md has no session" >&2; exit 1; }
output=$(bash -c "$session")
printf '%s\n' "$output"
codes=$(grep -oE '(^|[^0-9])(200|204|401)$' <<<"$output" | grep -oE '[0-9]{3}' | tr '\n' ' ')
[[ $codes == "200 204 401 " ]] || { echo "expected 200, 204 and 401, was: $codes" >&2; exit 1; }
echo "signed in, signed out, refused"
