# shellcheck shell=bash
# PostgreSQL URLs: taken apart, judged, and handed to psql without the password on the command line.

# The role that marks a URL as that of a private cluster, to be created and run by start-services.sh.
readonly PRIVATE_ROLE=postkey_local

# url_authority URL: `user:password@host:port` of it.
url_authority() {
    local rest=${1#*://}
    printf '%s\n' "${rest%%[/?]*}"
}

# url_hosts URL: `host:port,host:port` of it.
url_hosts() {
    local authority
    authority=$(url_authority "$1")
    printf '%s\n' "${authority##*@}"
}

# url_user_and_password URL: `user:password` of it, empty when it has none.
url_user_and_password() {
    local authority
    authority=$(url_authority "$1")
    [[ $authority == *@* ]] && printf '%s\n' "${authority%@*}" || echo
}

# url_database URL: the name of the database.
url_database() {
    local rest=${1#*://}
    [[ $rest == */* ]] || return 0
    rest=${rest#*/}
    percent_decoded "${rest%%\?*}"
}

# url_port URL: the port of its only host; 5432 when it names none.
url_port() {
    local hosts
    hosts=$(url_hosts "$1")
    [[ $hosts =~ :([0-9]+)$ ]] && echo "${BASH_REMATCH[1]}" || echo 5432
}

# url_password URL: the password, percent decoded; empty when it has none.
url_password() {
    local login
    login=$(url_user_and_password "$1")
    [[ $login == *:* ]] && percent_decoded "${login#*:}" || echo
}

# url_without_password URL: the URL as it may be shown, and put on a command line.
url_without_password() {
    local scheme=${1%%://*} rest=${1#*://} login user
    login=$(url_user_and_password "$1")
    user=${login%%:*}
    [[ -z $login ]] || rest=${rest#"$login"@}
    printf '%s\n' "$scheme://${user:+$user@}$rest" | sed -E 's/([?&])password=[^&]*(&|$)/\1/; s/[?&]$//'
}

# percent_decoded TEXT: with every %XX replaced by its byte.
percent_decoded() {
    local text=${1//\\/\\\\}
    printf '%b\n' "${text//%/\\x}"
}

# is_private URL: whether it means a cluster that this clone keeps for itself.
is_private() {
    local login
    login=$(url_user_and_password "$1")
    [[ ${login%%:*} == "$PRIVATE_ROLE" && $(url_hosts "$1") =~ ^(127\.0\.0\.1|localhost)(:[0-9]+)?$ ]]
}

# is_local URL: whether every host that libpq would try is this machine. Parameters of the query part, which override
# the host, count; what cannot be judged (a service file, PGHOSTADDR) counts as not local.
is_local() {
    local url=$1 query='' parameter host hosts
    [[ $url == postgres://* || $url == postgresql://* ]] || return 1
    [[ -z ${PGHOSTADDR:-} && -z ${PGSERVICE:-} ]] || return 1
    hosts=$(url_hosts "$url")
    [[ -n $hosts ]] || hosts=${PGHOST:-}
    [[ $url != *\?* ]] || query=${url#*\?}
    for parameter in ${query//&/ }; do
        case $parameter in
            host=* | hostaddr=*) hosts+=,${parameter#*=} ;;
            service=*) return 1 ;;
        esac
    done
    for host in ${hosts//,/ }; do
        host=$(percent_decoded "$host")
        # A path is a Unix socket; brackets surround an IPv6 address.
        [[ $host =~ ^(/.*|(localhost|127\.[0-9]+\.[0-9]+\.[0-9]+|\[::1\])(:[0-9]*)?|::1|:[0-9]+)$ ]] || return 1
    done
}

# psql_at URL ARGUMENT…: psql on that database, within five seconds, the password in the environment.
psql_at() {
    local url=$1 psql password
    shift
    psql=$(postgres_program psql) || fail "psql is missing: install the package postgresql-client"
    password=$(url_password "$url")
    PGPASSWORD=${password:-${PGPASSWORD:-}} PGCONNECT_TIMEOUT=5 "$psql" -X -q -w -v ON_ERROR_STOP=1 \
        -d "$(url_without_password "$url")" "$@"
}

# postgres_program NAME: the path of a PostgreSQL program, of the newest version; false when there is none.
# Debian keeps initdb and pg_ctl off the PATH.
postgres_program() {
    local folder
    for folder in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -t / -k 5,5 -rn); do
        [[ -x $folder/$1 ]] && echo "$folder/$1" && return 0
    done
    command -v "$1"
}
