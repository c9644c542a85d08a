# shellcheck shell=bash
# Private PostgreSQL clusters, one per service: created, started, stopped. PostgreSQL refuses to run as root, so as root
# they belong to the user `postgres`, and lie outside the clone when that user cannot reach it.

# as_owner COMMAND…: as the user who owns the clusters, free of the caller's PG* variables.
as_owner() (
    cd /
    unset PGHOST PGHOSTADDR PGPORT PGUSER PGPASSWORD PGDATABASE PGSERVICE PGDATA PGOPTIONS PGPASSFILE PGSSLMODE
    if ((EUID == 0)); then exec runuser -u postgres -- "$@"; else exec "$@"; fi
)

# find_clusters: sets CLUSTERS, the folder that holds them, from the record under .local; false when there is none yet.
find_clusters() {
    local made_for
    [[ -z ${CLUSTERS:-} ]] || return 0
    { read -r made_for && read -r CLUSTERS; } 2>/dev/null <"$ROOT/.local/postgres.location" || return 1
    # A copied clone must not run the clusters of the original.
    [[ $made_for == "$ROOT" && -d $CLUSTERS ]] && return 0
    CLUSTERS=
    return 1
}

# locate_clusters: sets CLUSTERS, chooses and makes that folder if need be, and records the choice.
locate_clusters() {
    local inside=$ROOT/.local/postgres
    find_clusters && return 0
    mkdir -p "$inside"
    CLUSTERS=$inside
    if ((EUID == 0)); then
        id postgres >/dev/null 2>&1 ||
            useradd --system --home-dir /var/lib/postgresql --shell /bin/bash postgres
        chown postgres "$inside"
        if ! as_owner test -w "$inside"; then
            rmdir "$inside"
            CLUSTERS=/var/lib/postkey/$(printf '%s' "$ROOT" | sha256sum | cut -c 1-12)
            mkdir -p "$CLUSTERS"
            chmod 755 /var/lib/postkey
            chown postgres "$CLUSTERS"
            say "The user postgres cannot reach $ROOT: the databases are kept in $CLUSTERS."
        fi
    fi
    printf '%s\n%s\n' "$ROOT" "$CLUSTERS" >"$ROOT/.local/postgres.location"
}

# socket_folder: for the Unix sockets; a path in such a socket's address has at most 107 bytes.
socket_folder() {
    local folder=$CLUSTERS/socket
    ((${#folder} <= 90)) || folder=/tmp/postkey-$(printf '%s' "$ROOT" | sha256sum | cut -c 1-12)
    printf '%s\n' "$folder"
}

# cluster_is_running NAME: by its own pid file, which must name this data directory.
cluster_is_running() {
    local pid folder
    find_clusters || return 1
    { read -r pid && read -r folder; } < <(as_owner cat "$CLUSTERS/$1/postmaster.pid" 2>/dev/null) || return 1
    [[ $folder == "$CLUSTERS/$1" && -d /proc/$pid ]]
}

# cluster_port NAME: where the running cluster listens; the fourth line of its pid file.
cluster_port() { as_owner sed -n 4p "$CLUSTERS/$1/postmaster.pid"; }

# create_cluster NAME: initdb with durable settings; only a complete one gets its final name.
create_cluster() {
    local initdb unfinished=$CLUSTERS/$1.unfinished owner locale=C
    initdb=$(postgres_program initdb) || fail "initdb is missing: install the package postgresql"
    owner=$(as_owner id -un)
    ! locale -a 2>/dev/null | grep -qix 'c\.utf-\?8' || locale=C.UTF-8
    say "Creating the PostgreSQL cluster '$1' in $CLUSTERS/$1"
    as_owner rm -rf "$unfinished"
    {
        as_owner "$initdb" -D "$unfinished" -U postgres --auth=peer --encoding=UTF8 --locale="$locale" \
            --data-checksums >/dev/null
    } | narrate "creating the cluster" || fail "initdb could not create $unfinished; its message is above"
    as_owner tee -a "$unfinished/postgresql.conf" >/dev/null <<CONFIGURATION

# Postkey: what is acknowledged is durable; memory is that of a laptop.
listen_addresses = '127.0.0.1'
unix_socket_permissions = 0700
password_encryption = 'scram-sha-256'
fsync = on
full_page_writes = on
synchronous_commit = on
shared_buffers = '64MB'
max_connections = 100
log_line_prefix = '%m [%p] %a '
CONFIGURATION
    # The superuser comes in over the Unix socket as the owner of the files, and needs no password.
    as_owner tee "$unfinished/pg_hba.conf" >/dev/null <<ACCESS
local all postgres peer map=owner
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
ACCESS
    echo "owner $owner postgres" | as_owner tee "$unfinished/pg_ident.conf" >/dev/null
    as_owner mv "$unfinished" "$CLUSTERS/$1"
}

# start_cluster SERVICE: creates its cluster if need be, starts it if need be, and makes the role and the database.
start_cluster() {
    local name url port sockets
    name=$(database_of "$1")
    url=$(database_url "$1")
    locate_clusters
    as_owner test -w "$CLUSTERS" ||
        fail "$CLUSTERS belongs to $(stat -c %U "$CLUSTERS"): run this as the user who ran it the first time."
    port=$(url_port "$url")
    sockets=$(socket_folder)
    as_owner mkdir -p -m 700 "$sockets"
    [[ $(stat -c %U "$sockets") == "$(as_owner id -un)" ]] || fail "$sockets belongs to somebody else: remove it."
    if cluster_is_running "$name" && [[ $(cluster_port "$name") != "$port" ]]; then
        say "The database '$name' moves to port $port."
        stop_cluster "$name"
    fi
    if ! cluster_is_running "$name"; then
        require_free_port "$port" "the database '$name'" "$(database_variable "$1")"
        as_owner test -d "$CLUSTERS/$name" || create_cluster "$name"
        say "Starting PostgreSQL for '$name' on 127.0.0.1:$port"
        as_owner "$(postgres_program pg_ctl)" start -s -w -t 60 -D "$CLUSTERS/$name" -l "$CLUSTERS/$name.log" \
            -o "-p $port -c unix_socket_directories=$sockets" >/dev/null 9>&- </dev/null ||
            fail "PostgreSQL for '$name' did not start: $(as_owner tail -n 1 "$CLUSTERS/$name.log")"
        STARTED_CLUSTERS+=("$name")
    fi
    psql_at "$url" -c 'select 1' >/dev/null 2>&1 || prepare_database "$name" "$url" "$sockets"
}

# prepare_database NAME URL SOCKETS: the role with the password that URL has, and the database, owned by that role.
prepare_database() {
    local password
    password=$(url_password "$2")
    as_owner "$(postgres_program psql)" -X -q -v ON_ERROR_STOP=1 -v database="$(url_database "$2")" \
        -h "$3" -p "$(url_port "$2")" -U postgres -d postgres >/dev/null <<SQL || fail "the database '$1' could not be prepared; the message of PostgreSQL is above"
set log_min_error_statement = panic;
select 'create role $PRIVATE_ROLE login' where not exists (select from pg_roles where rolname = '$PRIVATE_ROLE') \gexec
alter role $PRIVATE_ROLE password '${password//\'/\'\'}';
select format('create database %I owner $PRIVATE_ROLE', :'database')
where not exists (select from pg_database where datname = :'database') \gexec
\connect :"database"
alter schema public owner to $PRIVATE_ROLE;
SQL
    psql_at "$2" -c 'select 1' >/dev/null || fail "the database '$1' does not let $PRIVATE_ROLE in; the message is above"
}

# stop_cluster NAME: waits until it has written everything.
stop_cluster() {
    cluster_is_running "$1" || return 0
    say "Stopping PostgreSQL for '$1'"
    as_owner "$(postgres_program pg_ctl)" stop -s -m fast -w -t 60 -D "$CLUSTERS/$1" ||
        warn "PostgreSQL for '$1' did not stop within a minute"
}
