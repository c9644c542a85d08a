-- Why: the people who have proved a phone, and the sessions that each proof began.
-- Locks: none that matter, all objects are new. Expected duration: milliseconds.

create table users (
    id uuid primary key,
    -- E.164. Collation C, so that a prefix is a range of the index. NULL once the user is deleted.
    phone text collate "C",
    status text not null default 'active',
    display_name text,
    locale text,
    email text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    last_sign_in_at timestamptz,
    -- Sessions begun and tokens issued at or before this moment are void: one write ends them all.
    sign_in_not_before timestamptz,
    constraint users_phone_e164 check (phone ~ '^\+[1-9][0-9]{1,14}$'),
    constraint users_live_has_phone check (status = 'deleted' or phone is not null),
    constraint users_status_known check (status in ('active', 'suspended', 'deleted')),
    constraint users_display_name_length check (char_length(display_name) between 1 and 80),
    constraint users_display_name_printable check (display_name !~ '[\x01-\x1f\x7f-\x9f]'),
    constraint users_locale_form check (locale ~ '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$' and char_length(locale) <= 35),
    constraint users_email_form check (email ~ '^[^@[:space:]]+@[^@[:space:]]+$' and char_length(email) <= 254)
-- Updates of unindexed columns stay on their page (HOT).
) with (fillfactor = 90);

comment on table users is 'One row for each person; the phone is the account.';
comment on column users.sign_in_not_before is 'Sessions begun at or before this moment are void.';

-- One account for each phone among those that are not deleted: the invariant behind "the first proof makes the user".
create unique index users_live_phone on users (phone) where status <> 'deleted';
-- The directory pages by this key; neither column ever changes.
create index users_by_creation on users (created_at, id);

create table sessions (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    -- The proof that began the session. Unique, so that a verification token makes one session and no more.
    challenge_id uuid not null,
    device_name text,
    -- How often the refresh token was rotated; the current token is of this generation.
    generation int not null default 0,
    -- SHA-256 of the current refresh token, and of the one before it, which is honoured for some seconds more.
    refresh_hash bytea not null,
    previous_refresh_hash bytea,
    -- The access token that was given with the current refresh token: its jti and its exp.
    access_token_id uuid not null,
    access_expires_at timestamptz not null,
    created_at timestamptz not null default now(),
    rotated_at timestamptz not null default now(),
    idle_expires_at timestamptz not null,
    absolute_expires_at timestamptz not null,
    ended_at timestamptz,
    end_reason text,
    constraint sessions_one_for_each_proof unique (challenge_id),
    constraint sessions_device_name_length check (char_length(device_name) between 1 and 80),
    constraint sessions_generation_positive check (generation >= 0),
    constraint sessions_hashes_sha256
        check (octet_length(refresh_hash) = 32 and octet_length(previous_refresh_hash) = 32),
    constraint sessions_idle_within_absolute check (idle_expires_at <= absolute_expires_at),
    constraint sessions_end_has_reason check ((ended_at is null) = (end_reason is null)),
    constraint sessions_end_reason_known check (
        end_reason in ('logout', 'logout_everywhere', 'refresh_reused', 'suspended', 'signed_out', 'phone_changed', 'deleted'))
-- A refresh updates its row, and no index names what it changes: room on the page keeps it there.
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);

comment on table sessions is 'One row for each sign-in: the family of its refresh tokens.';

create index sessions_of_user on sessions (user_id) where ended_at is null;
-- The cleanup walks this, and the statistics count by it; the column never changes.
create index sessions_by_creation on sessions (created_at);
