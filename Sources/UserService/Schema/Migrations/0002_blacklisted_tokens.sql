-- Why: access tokens that were revoked before they expired.
-- Locks: none that matter, all objects are new. Expected duration: milliseconds.
--
-- Partitioned by the day (UTC) on which the token expires. Whoever asks about a token knows its exp, so that one partition
-- is looked at; and forgetting a day of tokens is dropping a table, whose cost does not depend on the number of rows.

create table blacklisted_tokens (
    -- SHA-256 of issuer, a zero byte and jti: a re-encoded token is still the same token.
    token_hash bytea not null,
    -- exp of the token.
    expires_at timestamptz not null,
    constraint blacklisted_tokens_hash_sha256 check (octet_length(token_hash) = 32),
    primary key (token_hash, expires_at)
) partition by range (expires_at);

comment on table blacklisted_tokens is 'Revoked access tokens, by day of expiry; kept no longer than they could be used.';

create index blacklisted_tokens_by_expiry on blacklisted_tokens (expires_at);

-- What no day was made for in time: a logout must never fail for want of a partition.
create table blacklisted_tokens_default partition of blacklisted_tokens default;

-- Makes the partitions of today and the next days, drops those whose tokens have all expired, and removes expired rows
-- from the default: all at once if no other is there (rows_deleted is an estimate beyond a hundred thousand), else at most ten
-- thousand, so that whoever is told of ten thousand calls again. Returns nothing if another instance is at it, else one row.
--
-- Lock: making or dropping a partition takes ACCESS EXCLUSIVE on the parent, emptying the default on that, for the time of a
-- catalogue change; lock_timeout keeps it from queueing requests behind itself when a long transaction holds the table. One
-- hour of margin is far more than the leeway for clocks.
create function maintain_blacklisted_tokens(as_of timestamptz default now(), days_ahead int default 2)
returns table (partitions_made int, partitions_dropped int, rows_deleted bigint)
language plpgsql as $$
declare
    today date := (as_of at time zone 'UTC')::date;
    cutoff timestamptz := as_of - interval '1 hour';
    day date;
    partition text;
begin
    if not pg_try_advisory_xact_lock(hashtextextended('maintain_blacklisted_tokens', 0)) then
        return;
    end if;
    perform set_config('lock_timeout', '250ms', true);
    partitions_made := 0;
    partitions_dropped := 0;
    rows_deleted := 0;

    if exists (select from blacklisted_tokens_default where expires_at < cutoff) then
        lock table blacklisted_tokens_default in access exclusive mode;
        if exists (select from blacklisted_tokens_default where expires_at >= cutoff) then
            delete from blacklisted_tokens_default where ctid = any (array(
                select ctid from blacklisted_tokens_default where expires_at < cutoff limit 10000));
            get diagnostics rows_deleted = row_count;
        else
            select greatest(count(*), (select reltuples from pg_class where oid = 'blacklisted_tokens_default'::regclass))
            into rows_deleted
            from (select from blacklisted_tokens_default limit 100000) counted;
            truncate blacklisted_tokens_default;
        end if;
    end if;

    for offset_days in 0..days_ahead loop
        day := today + offset_days;
        partition := 'blacklisted_tokens_' || to_char(day, 'YYYYMMDD');
        continue when to_regclass(partition) is not null;
        execute format('create table %I (like blacklisted_tokens including defaults including constraints)', partition);
        -- Rows of that day in the default would forbid the partition: they move.
        lock table blacklisted_tokens_default in access exclusive mode;
        execute format(
            'with moved as (delete from blacklisted_tokens_default where expires_at >= %L and expires_at < %L returning *)
             insert into %I select * from moved',
            day::timestamp at time zone 'UTC', (day + 1)::timestamp at time zone 'UTC', partition);
        execute format(
            'alter table blacklisted_tokens attach partition %I for values from (%L) to (%L)',
            partition, day::timestamp at time zone 'UTC', (day + 1)::timestamp at time zone 'UTC');
        partitions_made := partitions_made + 1;
    end loop;

    for partition, day in
        select c.relname, to_date(right(c.relname, 8), 'YYYYMMDD')
        from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'blacklisted_tokens'::regclass and c.relname ~ '^blacklisted_tokens_[0-9]{8}$'
    loop
        continue when (day + 1)::timestamp at time zone 'UTC' > cutoff;
        execute format('drop table %I', partition);
        partitions_dropped := partitions_dropped + 1;
    end loop;
    return next;
end
$$;

select maintain_blacklisted_tokens();

-- The user of an access token whose signature and expiry have been verified; no row if the token has been revoked: listed, its
-- session ended, its user suspended or signed out since.
--
-- The one place where this is written. A SQL function of this form is inlined: the plan is that of its body. The token's own
-- expiry leads to the one partition where it would be listed.
create function live_user(session_id uuid, issued_at timestamptz, token_hash bytea, token_expires_at timestamptz)
returns setof users
language sql stable as $$
    select u.*
    from sessions s join users u on u.id = s.user_id
    where s.id = live_user.session_id and s.ended_at is null and s.absolute_expires_at > now()
      and u.status = 'active'
      and (u.sign_in_not_before is null or u.sign_in_not_before < live_user.issued_at)
      and not exists (
          select from blacklisted_tokens b
          where b.token_hash = live_user.token_hash and b.expires_at = live_user.token_expires_at)
$$;
