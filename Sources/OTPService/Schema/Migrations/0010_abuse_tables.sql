-- Why: what keeps abuse from paying: the allowance of requests per network, keys that make a send repeatable, the
--      conversion of destinations with the breakers that it trips, and the daily budget with its switch.
-- Lock: ACCESS EXCLUSIVE on rate_limits for an instant: a column with a constant default rewrites nothing.
-- Duration: under a second.

-- GCRA of all requests of a network to /v1/otp/*, beside that of its sends: one row, one lock, one update for both.
alter table rate_limits add column requests_tat bigint not null default 0;

-- Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07): what was answered first. Only accepted sends are
-- kept, for 24 hours; a refusal changed nothing and may be asked for again.
create table idempotency_keys (
    -- SHA-256 of route, client and key: nobody else's key has it, and the key itself is not kept.
    key bytea not null,
    -- SHA-256 of what was asked for.
    fingerprint bytea not null,
    decided_at timestamptz not null,
    challenge_id uuid not null,
    channel channel not null,
    lifetime integer not null,
    resend_after integer not null,
    resends_left integer not null,
    attempts_left integer not null,
    code_length integer not null,
    constraint idempotency_keys_pkey primary key (key)
) with (autovacuum_vacuum_scale_factor = 0.05);
-- For the purge. A row is written once: only a key that comes again after its day moves in here.
create index idempotency_keys_age on idempotency_keys (decided_at);

-- Messages of a UTC day. A large budget has sixteen parts, so that sends do not wait for each other's commits.
create table sms_budget (
    day date not null,
    part smallint not null,
    used bigint not null,
    constraint sms_budget_pkey primary key (day, part),
    constraint sms_budget_used check (used >= 0)
) with (fillfactor = 50);

-- The switch by which operators stop all sending; one row.
create table sending_switch (
    single boolean not null default true,
    paused boolean not null default false,
    since timestamptz not null default now(),
    changed_by text not null default '',
    reason text,
    constraint sending_switch_pkey primary key (single),
    constraint sending_switch_one check (single)
);
insert into sending_switch default values;

-- Challenges counted when they are two minutes old, by destination: a block of numbers (+9198765) or a country (IN).
create table destination_counts (
    destination text collate "C" not null,
    -- The beginning of a span of ten minutes.
    slot timestamptz not null,
    sends integer not null,
    verified integer not null,
    constraint destination_counts_pkey primary key (destination, slot)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);

-- The least UUIDv7 of a millisecond since 1970: ids of challenges begin with their time.
create function least_uuid(_milliseconds bigint) returns uuid
    language sql immutable
    return (lpad(to_hex(_milliseconds), 12, '0') || repeat('0', 20))::uuid;

-- Up to which time of their ids challenges have been counted, in milliseconds since 1970; one row.
create table destination_cursor (
    single boolean not null default true,
    counted_to bigint not null,
    constraint destination_cursor_pkey primary key (single),
    constraint destination_cursor_one check (single)
);

create type breaker_state as enum ('closed', 'open', 'half_open');

-- Destinations that are not simply let through: a breaker that has tripped, or what an operator decided.
create table destinations (
    destination text collate "C" not null,
    state breaker_state not null default 'closed',
    since timestamptz not null,
    -- When an open breaker lets the first trials through.
    until timestamptz,
    -- How often it has tripped without closing in between: each time the cool-off doubles.
    trips integer not null default 0,
    -- Of a half-open breaker: sends that it may still let through, and what came of those that it let through.
    trials_left integer not null default 0,
    trial_sends integer not null default 0,
    trial_verified integer not null default 0,
    -- What an operator decided, which holds whatever the breaker says.
    override text,
    override_by text,
    override_reason text,
    override_since timestamptz,
    constraint destinations_pkey primary key (destination),
    constraint destinations_override check (override in ('allowed', 'blocked'))
) with (fillfactor = 70);
