# shellcheck shell=bash
# Brings in all the parts; the script that sources this has set ROOT, the folder of the clone.

# shellcheck source=scripts/lib/messages.sh
source "$ROOT/scripts/lib/messages.sh"
# shellcheck source=scripts/lib/services.sh
source "$ROOT/scripts/lib/services.sh"
# shellcheck source=scripts/lib/database-url.sh
source "$ROOT/scripts/lib/database-url.sh"
# shellcheck source=scripts/lib/dotenv.sh
source "$ROOT/scripts/lib/dotenv.sh"
# shellcheck source=scripts/lib/packages.sh
source "$ROOT/scripts/lib/packages.sh"
# shellcheck source=scripts/lib/build.sh
source "$ROOT/scripts/lib/build.sh"
# shellcheck source=scripts/lib/ports.sh
source "$ROOT/scripts/lib/ports.sh"
# shellcheck source=scripts/lib/clusters.sh
source "$ROOT/scripts/lib/clusters.sh"
# shellcheck source=scripts/lib/processes.sh
source "$ROOT/scripts/lib/processes.sh"
# shellcheck source=scripts/lib/session.sh
source "$ROOT/scripts/lib/session.sh"
