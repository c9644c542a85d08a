-- Why: reading the table changes by snapshots, so that no order of commits and no crash loses a row.
-- Locks: SHARE on changes while the index is built. Expected duration: milliseconds for a new table.

-- Which run of the server's transaction ids the readers' snapshots are of. A crash may give ids again that were in use when
-- it came, so that a snapshot from before it says nothing afterwards. Unlogged tables are empty after crash recovery, a
-- failover and a restore: exactly then a new epoch begins, and readers begin anew.
create unlogged table change_feed_epoch (
    is_only boolean primary key default true,
    id uuid not null default gen_random_uuid(),
    constraint change_feed_epoch_only_one check (is_only)
);

insert into change_feed_epoch default values;

-- The state is read by this one, past millions of sign-ins.
create index changes_that_revoke on changes (xid, position) where kind <> 'user-changed';

-- The rows whose transactions _seen did not see and _until, or else this statement's own snapshot, does, after
-- (_after_xid, _after_position) in the order of both; at most _limit of them. With _state, instead, all that revokes tokens
-- which may still live. Each row carries the snapshot it was read by; if there are none, one row has only that.
--
-- What a snapshot did not see are the transactions that were open (its xip) and those from its xmax on: two walks of the
-- index, whose length does not depend on how long a transaction has been open.
create function changes_between(
    _seen_xmax xid8, _seen_open xid8[], _until pg_snapshot, _after_xid xid8, _after_position bigint, _state boolean, _limit int
) returns table (
    snapshot text, epoch uuid, read_at timestamptz, xid text, "position" bigint, kind text, user_id uuid, session_id uuid,
    token_hash bytea, expires_at timestamptz, not_before timestamptz
)
-- Planned once, maybe while the table is empty: by the index, in order, also when it is not.
language plpgsql stable set enable_seqscan = off set enable_bitmapscan = off set jit = off
set plan_cache_mode = force_generic_plan as $$
declare
    _snapshot pg_snapshot := coalesce(_until, pg_current_snapshot());
    _epoch uuid := (select e.id from change_feed_epoch e where e.is_only);
    -- One bound, not two on the same column: the walk begins at the later. Positions are greater than 0.
    _from_xid xid8 := greatest(_after_xid, _seen_xmax);
    _from_position bigint := case when _after_xid >= _seen_xmax then _after_position else 0 end;
begin
    if _state then
        return query
        select _snapshot::text, _epoch, clock_timestamp(), c.xid::text, c.position, c.kind, c.user_id, c.session_id,
            c.token_hash, c.expires_at, c.not_before
        from changes c
        where c.kind <> 'user-changed' and (c.xid, c.position) > (_from_xid, _from_position)
            and pg_visible_in_snapshot(c.xid, _snapshot)
            and coalesce(c.expires_at, c.not_before + interval '1 day') > now() - interval '1 minute'
        order by c.xid, c.position
        limit _limit;
    else
        return query
        select _snapshot::text, _epoch, clock_timestamp(), r.xid::text, r.position, r.kind, r.user_id, r.session_id,
            r.token_hash, r.expires_at, r.not_before
        from (
            (select c.* from changes c
                where (c.xid, c.position) > (_from_xid, _from_position) and pg_visible_in_snapshot(c.xid, _snapshot)
                order by c.xid, c.position limit _limit)
            union all
            (select c.* from changes c
                where c.xid = any (_seen_open) and (c.xid, c.position) > (_after_xid, _after_position)
                    and pg_visible_in_snapshot(c.xid, _snapshot)
                order by c.xid, c.position limit _limit)
        ) r
        order by r.xid, r.position
        limit _limit;
    end if;
    if not found then
        return query select _snapshot::text, _epoch, clock_timestamp(), null::text, null::bigint, null::text, null::uuid,
            null::uuid, null::bytea, null::timestamptz, null::timestamptz;
    end if;
end
$$;
