-- Why: other services hold revocations and cached users in memory and must learn of every change; and people who look at
--   the list of their sessions want to know from where each began.
-- Locks: ACCESS EXCLUSIVE on sessions for the time of a catalogue change, then SHARE UPDATE EXCLUSIVE while its rows are
--   checked against the longer list of end reasons; all else is new. Expected duration: a second for a million sessions.

-- From where the session was begun or last refreshed.
alter table sessions add column address inet;

alter table sessions drop constraint sessions_end_reason_known;
alter table sessions add constraint sessions_end_reason_known check (
    end_reason in ('logout', 'logout_everywhere', 'refresh_reused', 'suspended', 'signed_out', 'phone_changed', 'deleted',
        -- Ended from the list of sessions or by RFC 7009; the oldest of too many; its phone went to somebody else.
        'revoked', 'too_many', 'recycled')) not valid;
alter table sessions validate constraint sessions_end_reason_known;

-- What happened, for those who were not there. A row is inserted by the very statement (or transaction) that changes
-- something, never updated, and dropped with its day: a day and an hour later, when no access token from before can live.
--
-- position orders the rows of one transaction. It is not the order of commits, and neither is xid: a reader keeps the
-- snapshot of its last reading (pg_current_snapshot()) and next takes the rows whose transactions that one did not see.
-- Nothing is lost in whatever order transactions commit, and one that stays open holds nobody else's rows back.
create table changes (
    position bigint generated always as identity (cache 16),
    xid xid8 not null default pg_current_xact_id(),
    kind text not null,
    user_id uuid,
    session_id uuid,
    -- As in blacklisted_tokens.
    token_hash bytea,
    -- When the last access token dies to which the row matters.
    expires_at timestamptz,
    -- Access tokens issued at or before this moment are void. Take clock_timestamp() as the statement that locks the user
    -- sees it, as end_sessions_of_user does, not now(): a sign-in that had the lock before may have begun after now().
    not_before timestamptz,
    changed_at timestamptz not null default now(),
    constraint changes_kind_known check (
        case kind
            when 'token-revoked' then token_hash is not null and expires_at is not null
            when 'session-ended' then session_id is not null and user_id is not null and expires_at is not null
            when 'user-not-before' then user_id is not null and not_before is not null
            -- Created, profile, phone, status, deletion, last sign-in.
            when 'user-changed' then user_id is not null
            else false
        end)
) partition by range (changed_at);

comment on table changes is 'The change feed, by day; rows are inserted with what they tell of, and dropped after a day.';

create index changes_by_transaction on changes (xid, position);

-- What no day was made for in time: a change must never fail for want of a partition.
create table changes_default partition of changes default;

-- Makes the partitions of today and the next days and drops those that are over for 25 hours. Rows of the default that old
-- are deleted, at most ten thousand. Returns nothing if another instance is at it, else one row.
--
-- Lock: as maintain_blacklisted_tokens, whose manner this follows.
create function maintain_changes(as_of timestamptz default now(), days_ahead int default 2)
returns table (partitions_made int, partitions_dropped int, rows_deleted bigint)
language plpgsql as $$
declare
    today date := (as_of at time zone 'UTC')::date;
    cutoff timestamptz := as_of - interval '25 hours';
    day date;
    partition text;
begin
    if not pg_try_advisory_xact_lock(hashtextextended('maintain_changes', 0)) then
        return;
    end if;
    perform set_config('lock_timeout', '250ms', true);
    partitions_made := 0;
    partitions_dropped := 0;

    delete from changes_default where ctid = any (array(
        select ctid from changes_default where changed_at < cutoff limit 10000));
    get diagnostics rows_deleted = row_count;

    for offset_days in 0..days_ahead loop
        day := today + offset_days;
        partition := 'changes_' || to_char(day, 'YYYYMMDD');
        continue when to_regclass(partition) is not null;
        execute format('create table %I (like changes including defaults including constraints)', partition);
        -- Rows of that day in the default would forbid the partition: they move.
        lock table changes_default in access exclusive mode;
        execute format(
            'with moved as (delete from changes_default where changed_at >= %L and changed_at < %L returning *)
             insert into %I select * from moved',
            day::timestamp at time zone 'UTC', (day + 1)::timestamp at time zone 'UTC', partition);
        execute format(
            'alter table changes attach partition %I for values from (%L) to (%L)',
            partition, day::timestamp at time zone 'UTC', (day + 1)::timestamp at time zone 'UTC');
        partitions_made := partitions_made + 1;
    end loop;

    for partition, day in
        select c.relname, to_date(right(c.relname, 8), 'YYYYMMDD')
        from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'changes'::regclass and c.relname ~ '^changes_[0-9]{8}$'
    loop
        continue when (day + 1)::timestamp at time zone 'UTC' > cutoff;
        execute format('drop table %I', partition);
        partitions_dropped := partitions_dropped + 1;
    end loop;
    return next;
end
$$;

select maintain_changes();

-- What is revoked already.
insert into changes (kind, token_hash, expires_at)
select 'token-revoked', token_hash, expires_at from blacklisted_tokens where expires_at > now();
insert into changes (kind, user_id, session_id, expires_at)
select 'session-ended', user_id, id, access_expires_at from sessions where ended_at is not null and access_expires_at > now();
insert into changes (kind, user_id, not_before)
select 'user-not-before', id, sign_in_not_before from users where sign_in_not_before > now() - interval '1 day';

-- SHA-256 of issuer, a zero byte and jti: what blacklisted_tokens knows an access token by.
create function access_token_hash(id uuid) returns bytea
language sql immutable strict parallel safe as $$
    select sha256(convert_to('user-service', 'UTF8') || '\x00'::bytea || convert_to(id::text, 'UTF8'))
$$;

-- Ends all sessions of a user, or all but one, in the transaction of whoever calls it, with their rows in the feed; returns
-- how many. Does not judge the user: lock the row and decide before.
--
-- Without an exception it is one mark on the user. The mark is the clock's time once the user's row is locked: every session
-- that was begun before has begun before it, those of sign-ins that held the lock too. With an exception there is no mark,
-- and the newest access token of each session is listed.
--
-- A refresh takes no lock on the user. One that had its session's row first is waited for here, and its session ends; but
-- its access token may be younger than the mark, so that its session is told by name.
create function end_sessions_of_user(of_user uuid, reason text, keeping uuid default null) returns int
language plpgsql set enable_seqscan = off as $$
declare
    mark timestamptz;
    ended_count int;
begin
    if keeping is null then
        update users set sign_in_not_before = clock_timestamp() where id = of_user returning sign_in_not_before into mark;
        insert into changes (kind, user_id, not_before)
        select 'user-not-before', of_user, mark where mark is not null;
    else
        -- A sign-in under way ends first, and its session is seen by the next statement.
        perform from users where id = of_user for no key update;
    end if;
    with ended as (
        update sessions s set ended_at = clock_timestamp(), end_reason = reason
        where s.user_id = of_user and s.ended_at is null and s.id is distinct from keeping
        returning s.id, s.access_token_id, s.access_expires_at, s.rotated_at
    ), listed as (
        insert into blacklisted_tokens (token_hash, expires_at)
        select access_token_hash(access_token_id), access_expires_at from ended
        where mark is null and access_expires_at > now()
        on conflict do nothing
    ), told as (
        insert into changes (kind, user_id, session_id, expires_at)
        select 'session-ended', of_user, id, access_expires_at from ended
        where (mark is null or rotated_at >= mark - interval '1 millisecond') and access_expires_at > now()
    )
    select count(*) into ended_count from ended;
    return ended_count;
end
$$;
