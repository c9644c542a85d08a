# shellcheck shell=bash
# Settings: the environment over .env, read just as the services read them (KEY=value, the last line wins, no quoting,
# an empty value counts as absent).

# dotenv_value NAME: its value in .env; false when it has none.
dotenv_value() {
    local line value=
    [[ -r $ROOT/.env ]] || return 1
    while IFS= read -r line || [[ -n $line ]]; do
        if [[ $line =~ ^[[:space:]]*"$1"[[:space:]]*=[[:space:]]*(.*)$ ]]; then
            value=${BASH_REMATCH[1]}
            value=${value%"${value##*[![:space:]]}"}
        fi
    done <"$ROOT/.env"
    [[ -n $value ]] && printf '%s\n' "$value"
}

# setting NAME [DEFAULT]: the value in force.
setting() {
    if [[ -n ${!1:-} ]]; then
        printf '%s\n' "${!1}"
    else
        dotenv_value "$1" || printf '%s\n' "${2:-}"
    fi
}

# random_secret: 256 bits in hexadecimal.
random_secret() { od -An -tx1 -N32 /dev/urandom | tr -d ' \n'; }

# remember NAME VALUE [COMMENT]: appends a variable that neither .env nor the environment has.
remember() {
    [[ -z ${!1:-} ]] || return 0
    dotenv_value "$1" >/dev/null && return 0
    [[ -z ${3:-} ]] || printf '\n# %s\n' "$3" >>"$ROOT/.env"
    printf '%s=%s\n' "$1" "$2" >>"$ROOT/.env"
    ADDED_VARIABLES+=("$1")
}

# write_dotenv: makes .env once, readable by its owner alone; later only appends what is missing.
write_dotenv() {
    local file=$ROOT/.env fresh=false
    ADDED_VARIABLES=()
    if [[ $(setting ENVIRONMENT development) == production ]]; then
        say "ENVIRONMENT is production: nothing is added to .env, what the services miss they will say."
        return 0
    fi
    if [[ ! -e $file ]]; then
        fresh=true
        (umask 077 && echo "# Settings of this clone for development, made by start-services.sh; docs/configuration.md explains each." >"$file")
    elif [[ -n $(tail -c 1 "$file") ]]; then
        echo >>"$file"
    fi
    chmod 600 "$file"
    remember_development_settings
    if $fresh; then
        say "Wrote .env with generated secrets (readable by you alone)."
    elif ((${#ADDED_VARIABLES[@]} > 0)); then
        say "Added to .env what it lacked: ${ADDED_VARIABLES[*]}."
    fi
}

# remember_development_settings: each variable with the value that suits one machine that plays every part.
remember_development_settings() {
    local service comment="The user $PRIVATE_ROLE means: a private cluster that start-services.sh creates. Other URLs are left to you."
    remember ENVIRONMENT development
    remember HOST 127.0.0.1
    remember JWT_SECRET_KEY "$(random_secret)" "The same in all services: it signs and checks every token."
    remember OTP_SECRET_KEY "$(random_secret)" "Codes are derived from it; a new value makes the codes under way invalid."
    for service in "${ALL_SERVICES[@]}"; do
        remember "$(database_variable "$service")" \
            "postgresql://$PRIVATE_ROLE:$(random_secret)@127.0.0.1:$(default_database_port "$service")/$(database_of "$service")" \
            "$comment"
        comment=
    done
    comment="Where each listens and is found. To move one to another port, change it here."
    for service in "${ALL_SERVICES[@]}"; do
        remember "$(url_variable "$service")" "$(default_url "$service")" "$comment"
        comment=
    done
    remember MSG91_BASE_URL "$(default_url "$SIMULATOR")" "The simulator stands in for MSG91 while this URL is on this machine."
    remember MSG91_AUTH_KEY simulator-auth-key
    remember MSG91_TEMPLATE_ID 66a1f0c3d2b4e5968778695a
    remember MSG91_WEBHOOK_SECRET "$(random_secret)" "A part of the URL that delivery reports come to."
    remember OTP_ALLOWED_COUNTRIES IN "Codes go to these countries; numbers without + are read as of DEFAULT_REGION."
    remember DEFAULT_REGION IN
    remember TRUSTED_PROXIES 127.0.0.0/8,::1/128 "One machine plays many clients here: wider than the strict defaults."
    remember OTP_SENDS_PER_NETWORK 10000/300
    remember OTP_REQUESTS_PER_NETWORK 100000/300
    remember OTP_FRAUD_GUARD record
}
