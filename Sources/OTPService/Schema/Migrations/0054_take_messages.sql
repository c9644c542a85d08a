-- Why: while the gateway refuses everything, a few messages go out as probes, oldest first. Two odd numbers that it always refuses
--   were the probes by turns, and nothing else went out until their codes had died.
-- Lock: none. Duration: instant.

-- As claim_messages, which the version before goes on with; with _least_tried_first those come first that were tried least, for which
-- the whole queue is read: for probes only, which are seconds apart.
create function take_messages(
    _at timestamptz, _limit bigint, _least_tried_first boolean, _lease uuid, _lease_seconds bigint)
    returns table (
        challenge_id uuid, number bigint, channel text, tries bigint,
        phone text, purpose text, key_id text, code_length bigint,
        remaining bigint,               -- microseconds that the code still lives
        waited bigint,                  -- microseconds since the message was ordered
        sent_before boolean             -- the gateway has taken this code for this phone already
    )
    language plpgsql
    set enable_seqscan = off
    set plan_cache_mode = force_generic_plan
    rows 50
as $$
#variable_conflict use_column
declare
    _now timestamptz := coalesce(_at, clock_timestamp());
begin
    perform set_config('synchronous_commit', 'off', true);
    return query
    with oldest as materialized (
        select m.challenge_id, m.number
        from messages m
        where not _least_tried_first and m.state = 'queued' and m.due_at <= _now
        order by m.challenge_id, m.number
        limit _limit
        for update skip locked
    ), least_tried as materialized (
        select m.challenge_id, m.number
        from messages m
        where _least_tried_first and m.state = 'queued' and m.due_at <= _now
        order by m.tries, m.challenge_id, m.number
        limit _limit
        for update skip locked
    ), due as (
        table oldest union all table least_tried
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
