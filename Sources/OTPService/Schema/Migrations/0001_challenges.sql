-- Why: what otp-service knows. A phone's state, its challenges, the messages that carry their codes, and the limits
--      of networks and number blocks. The code itself is nowhere: it is derived again when it has to be sent.
-- Lock: none that anyone could wait for, the tables are new. Duration: under a second.
--
-- Written for speed where every sign-in passes:
--   * closed sets are enum types and E.164 is a domain. A CHECK is parsed again for every statement that writes the
--     table (measured: nine of them cost a third of a send); a domain is checked once, where a text enters.
--   * no index holds a column that changes, so that every update stays on its page (HOT); fillfactor leaves the room.
--   * no foreign keys: rows are written together, by functions of one file, and dropped together by age.

create domain e164 as text collate "C"
    constraint e164_shape check (value ~ '^\+[1-9][0-9]{1,14}$');

create type purpose as enum ('sign_in', 'change_phone', 'admin_sign_in');
create type channel as enum ('sms', 'voice');

-- queued → submitted → delivered; or unresolved (the gateway never said), failed (it refused, or the code died
-- waiting for it) or dropped (superseded or used before it was sent).
create type message_state as enum ('queued', 'submitted', 'unresolved', 'delivered', 'failed', 'dropped');

-- One row per phone that ever asked. All decisions about a phone pass through its lock, one at a time.
create table phones (
    phone e164 not null,
    -- GCRA: the theoretical arrival time of each send limit, microseconds since 1970. 0: never used.
    first_tat bigint not null default 0,
    second_tat bigint not null default 0,
    -- No code is sent before; a verified code lifts it.
    resend_at timestamptz not null default '-infinity',
    -- Wrong answers since the last right one, over all challenges, purposes and resends.
    failures integer not null default 0,
    -- No answer is judged before; 'infinity' until an operator lifts it.
    locked_until timestamptz not null default '-infinity',
    -- The one challenge of each purpose that may be answered: a challenge that its phone does not name is dead. So
    -- there is never more than one, without a unique index on columns that change.
    sign_in uuid,
    change_phone uuid,
    admin_sign_in uuid,
    constraint phones_pkey primary key (phone)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);

-- GCRA of everything else that has a rate: 'network:<address>' and 'prefix:<number without its last four digits>'.
create table rate_limits (
    key text collate "C" not null,
    tat bigint not null,
    constraint rate_limits_pkey primary key (key)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);

-- A question put to a phone. Ids are UUIDv7: they arrive in order, and a range of ids is a range of time.
create table challenges (
    id uuid not null,
    phone e164 not null,
    purpose purpose not null,
    -- HMAC of id and code under a key derived from OTP_SECRET_KEY, and which of the keys it was.
    key_id text not null,
    digest bytea not null,
    code_length smallint not null,
    attempts smallint not null default 0,
    max_attempts smallint not null,
    resends smallint not null default 0,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    verified_at timestamptz,
    constraint challenges_pkey primary key (id),
    constraint challenges_bounds check (attempts between 0 and max_attempts and expires_at <= created_at + '600 s')
) with (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02);

-- The outbox, and what became of each message: number 0 is the first of its challenge, the rest are resends.
create table messages (
    challenge_id uuid not null,
    number smallint not null,
    channel channel not null,
    state message_state not null default 'queued',
    tries smallint not null default 0,
    -- When a dispatcher may take it: at once, after a pause, or when the lease of the one that has it has passed.
    due_at timestamptz not null,
    lease uuid,
    gateway_id text,
    reason text,
    created_at timestamptz not null,
    submitted_at timestamptz,
    updated_at timestamptz not null,
    constraint messages_pkey primary key (challenge_id, number)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);

-- The queue, oldest first. due_at is not in it, because taking a message moves due_at.
create index messages_queue on messages (challenge_id, number) where state = 'queued';
