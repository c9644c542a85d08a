# shellcheck shell=bash
# The table of the services: what each is called, where it listens and which database it owns.

readonly ALL_SERVICES=(otp-service user-service admin-service)
readonly SIMULATOR=msg91-simulator

# service_named TEXT: the full name for `otp-service` or `otp`; false when there is no such service.
service_named() {
    case $1 in
        otp | otp-service) echo otp-service ;;
        user | users | user-service) echo user-service ;;
        admin | admin-service) echo admin-service ;;
        *) return 1 ;;
    esac
}

# choose_services LIST: adds those of a comma list to SERVICES; ends the script on an unknown name.
choose_services() {
    local name full
    for name in ${1//,/ }; do
        full=$(service_named "$name") || usage_error "there is no service '$name'; there are ${ALL_SERVICES[*]}"
        SERVICES+=("$full")
    done
}

# database_of SERVICE: the name of its database, and of its private cluster.
database_of() {
    case $1 in
        otp-service) echo otp ;;
        user-service) echo users ;;
        admin-service) echo admin ;;
    esac
}

# database_variable SERVICE: the variable that holds the URL of its database.
database_variable() {
    case $1 in
        otp-service) echo OTP_DATABASE_URL ;;
        user-service) echo USER_DATABASE_URL ;;
        admin-service) echo ADMIN_DATABASE_URL ;;
    esac
}

# default_database_port SERVICE: where its private cluster listens unless .env says otherwise.
default_database_port() {
    case $1 in
        otp-service) echo 5433 ;;
        user-service) echo 5434 ;;
        admin-service) echo 5435 ;;
    esac
}

# database_url SERVICE: the URL in force, from the environment or .env; empty when there is none.
database_url() { setting "$(database_variable "$1")"; }

# url_variable PROCESS: the variable that says where a service, or the simulator, is reached. The services find each
# other by the same variables, so a port is moved by changing one line of .env.
url_variable() {
    case $1 in
        otp-service) echo OTP_SERVICE_URL ;;
        user-service) echo USER_SERVICE_URL ;;
        admin-service) echo ADMIN_SERVICE_URL ;;
        "$SIMULATOR") echo MSG91_BASE_URL ;;
    esac
}

# default_url PROCESS: the URL unless .env says otherwise.
default_url() {
    case $1 in
        otp-service) echo http://127.0.0.1:8081 ;;
        user-service) echo http://127.0.0.1:8082 ;;
        admin-service) echo http://127.0.0.1:8083 ;;
        "$SIMULATOR") echo http://127.0.0.1:8090 ;;
    esac
}

# base_url PROCESS: the URL in force.
base_url() { setting "$(url_variable "$1")" "$(default_url "$1")"; }

# port_of PROCESS: the port in its base URL; ends the script when the URL names none.
port_of() {
    local url
    url=$(base_url "$1")
    [[ $url =~ ^https?://[^/:]+:([0-9]{1,5})(/.*)?$ ]] || fail "$(url_variable "$1") must be like $(default_url "$1"), and is '$url'"
    echo "${BASH_REMATCH[1]}"
}

# simulator_wanted: whether MSG91_BASE_URL points at this machine, so that our simulator has to answer there.
simulator_wanted() { [[ $(base_url "$SIMULATOR") =~ ^http://(127\.[0-9.]+|localhost)(:|/|$) ]]; }
