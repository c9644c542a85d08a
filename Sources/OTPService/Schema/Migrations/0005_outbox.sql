-- Why: the dispatchers' side of the outbox. Several instances share it; each takes what nobody else has.
-- Lock: none. Duration: instant.
--
-- Both functions commit without waiting for the disk. A crash of PostgreSQL can lose the last half second of leases and reports,
-- never a message: what it forgets was sent is sent once more, with the same code. Waiting would cost every send a share
-- of two more flushes.

-- Takes up to _limit due messages for _lease_seconds, oldest first. A message whose challenge can no longer be answered
-- is ended instead of taken. Nothing is locked afterwards: the lease is due_at, and its token fences late reports.
create function claim_messages(_at timestamptz, _limit bigint, _lease uuid, _lease_seconds bigint)
    returns table (
        challenge_id uuid, number bigint, channel text, tries bigint,
        phone text, purpose text, key_id text, code_length bigint,
        remaining bigint,               -- microseconds that the code still lives
        waited bigint,                  -- microseconds since the message was ordered
        sent_before boolean             -- the gateway has taken this code for this phone already
    )
    language plpgsql
    set enable_seqscan = off
    rows 50
as $$
#variable_conflict use_column
declare
    _now timestamptz := coalesce(_at, clock_timestamp());
begin
    perform set_config('synchronous_commit', 'off', true);
    return query
    with due as materialized (
        select m.challenge_id, m.number
        from messages m
        where m.state = 'queued' and m.due_at <= _now
        order by m.challenge_id, m.number
        limit _limit
        for update skip locked
    ), judged as (
        select d.challenge_id, d.number, c.phone, c.purpose, c.key_id, c.code_length, c.expires_at,
            case
                when c.id is null or c.expires_at <= _now then 'expired'
                when c.verified_at is not null then 'used'
                when c.attempts >= c.max_attempts then 'exhausted'
                when (d.challenge_id in (p.sign_in, p.change_phone, p.admin_sign_in)) is not true then 'superseded'
            end as ended
        from due d
        left join challenges c on c.id = d.challenge_id
        left join phones p on p.phone = c.phone
    ), taken as (
        update messages m set
            state = case
                when j.ended is null then m.state
                when j.ended = 'expired' then 'failed'::message_state
                else 'dropped'::message_state
            end,
            reason = coalesce(j.ended, m.reason),
            lease = case when j.ended is null then _lease end,
            due_at = _now + _lease_seconds * interval '1 s',
            tries = m.tries + case when j.ended is null then 1 else 0 end,
            updated_at = _now
        from judged j
        where m.challenge_id = j.challenge_id and m.number = j.number
        returning m.challenge_id, m.number, m.channel, m.tries, m.created_at,
            j.phone, j.purpose, j.key_id, j.code_length, j.expires_at, j.ended
    )
    select t.challenge_id, t.number::bigint, t.channel::text, t.tries::bigint, t.phone::text, t.purpose::text,
        t.key_id, t.code_length::bigint,
        (extract(epoch from t.expires_at - _now) * 1000000)::bigint,
        (extract(epoch from _now - t.created_at) * 1000000)::bigint,
        t.number > 0 and exists (
            select from messages s
            where s.challenge_id = t.challenge_id and s.number < t.number and s.submitted_at is not null)
    from taken t
    where t.ended is null;
end
$$;

-- Writes down what became of messages: submitted, unresolved, failed, or queued again after a pause. A report whose lease
-- is no longer the message's is ignored: somebody else has taken it since.
create function report_messages(
    _at timestamptz, _lease uuid[], _challenge uuid[], _number bigint[], _state text[],
    _gateway_id text[], _reason text[], _pause bigint[]    -- pause in milliseconds, for queued
) returns bigint
    language plpgsql
    set enable_seqscan = off
as $$
declare
    _now timestamptz := coalesce(_at, clock_timestamp());
    _count bigint;
begin
    perform set_config('synchronous_commit', 'off', true);
    update messages m set
        state = r.state::message_state,
        lease = null,
        due_at = _now + r.pause * interval '1 ms',
        gateway_id = coalesce(nullif(r.gateway_id, ''), m.gateway_id),
        reason = nullif(r.reason, ''),
        submitted_at = case when r.state in ('submitted', 'unresolved') then _now else m.submitted_at end,
        updated_at = _now
    from unnest(_lease, _challenge, _number, _state, _gateway_id, _reason, _pause)
        as r (lease, challenge_id, number, state, gateway_id, reason, pause)
    where m.challenge_id = r.challenge_id and m.number = r.number
        and m.lease = r.lease and m.state = 'queued';
    get diagnostics _count = row_count;
    return _count;
end
$$;
