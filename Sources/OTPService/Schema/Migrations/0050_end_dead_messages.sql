-- Why: while the gateway refuses everything, nothing is claimed, and claiming is what ends messages whose code has died.
-- Lock: none. Duration: instant.

-- Ends up to _limit due messages whose challenge can no longer be answered, oldest first; returns how many. Like claiming, it commits
-- without waiting for the disk: what is forgotten is ended again.
create function end_dead_messages(_at timestamptz, _limit bigint) returns bigint
    language plpgsql
    set enable_seqscan = off
as $$
declare
    _now timestamptz := coalesce(_at, clock_timestamp());
    _count bigint;
begin
    perform set_config('synchronous_commit', 'off', true);
    with due as materialized (
        select m.challenge_id, m.number
        from messages m
        left join challenges c on c.id = m.challenge_id
        where m.state = 'queued' and m.due_at <= _now and (c.id is null or c.expires_at <= _now)
        order by m.challenge_id, m.number
        limit _limit
        for update of m skip locked
    )
    update messages m set
        state = 'failed',
        -- What the gateway said is more telling than that the time ran out.
        reason = coalesce(m.reason, 'expired'),
        lease = null,
        updated_at = _now
    from due d
    where m.challenge_id = d.challenge_id and m.number = d.number;
    get diagnostics _count = row_count;
    return _count;
end
$$;
