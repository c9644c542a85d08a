-- Why: what the gateway reports of messages, in batches.
-- Lock: none. Duration: instant.
--
-- Reports come late, twice, in any order, and are not signed. So what a message comes to is the greatest of all that was
-- reported of it, submitted < failed < delivered, whatever came first; only a message that was handed to the gateway
-- at least once can be reported; and nothing but the message changes. A failure that later turns out delivered is the
-- one case of a final state that changes.
--
-- Commits without waiting for the disk: a crash of PostgreSQL can lose the reports of the last half second.

-- Each report names its message by ours (_challenge and _number), or by the gateway's id and the phone; what it does not
-- name is empty, an id of zeros.
create function apply_delivery_reports(
    _at timestamptz, _challenge uuid[], _number bigint[], _gateway_id text[], _phone text[], _state text[], _reason text[],
    out known bigint,       -- reports whose message is there and was ever handed over
    out changed bigint      -- messages that are another state now
)
    language plpgsql
    set enable_seqscan = off
    set plan_cache_mode = force_generic_plan
as $$
declare
    _now timestamptz := coalesce(_at, clock_timestamp());
    _found record;
    _slices timestamptz[];
    _none constant uuid := '00000000-0000-0000-0000-000000000000';
begin
    perform set_config('synchronous_commit', 'off', true);
    known := 0;
    for _index in 1..cardinality(_state) loop
        if _challenge[_index] <> _none then
            perform from messages m
            where m.challenge_id = _challenge[_index] and m.number = _number[_index] and m.tries > 0;
            if found then
                known := known + 1;
                continue;
            end if;
            _challenge[_index] := _none;
        end if;
        continue when _phone[_index] = '' or _gateway_id[_index] = '';
        -- A phone has few challenges in the days that can still change.
        select m.challenge_id, m.number into _found
        from challenges c join messages m on m.challenge_id = c.id
        where c.phone = _phone[_index]::e164 and m.gateway_id = _gateway_id[_index] and m.tries > 0
        order by m.challenge_id desc, m.number desc limit 1;
        if found then
            _challenge[_index] := _found.challenge_id;
            _number[_index] := _found.number;
            known := known + 1;
        end if;
    end loop;

    with reported as (
        select distinct on (r.challenge_id, r.number) r.*
        from unnest(_challenge, _number, _gateway_id, _state, _reason) as r (challenge_id, number, gateway_id, state, reason)
        where r.challenge_id <> _none
        order by r.challenge_id, r.number,
            case r.state when 'delivered' then 3 when 'failed' then 2 else 1 end desc
    ), changed_messages as (
        update messages m set
            state = r.state::message_state,
            lease = null,
            reason = nullif(r.reason, ''),
            gateway_id = coalesce(m.gateway_id, nullif(r.gateway_id, '')),
            submitted_at = coalesce(m.submitted_at, _now),
            delivered_at = case when r.state = 'delivered' then _now end,
            updated_at = _now
        from reported r
        where m.challenge_id = r.challenge_id and m.number = r.number and m.tries > 0
            and case r.state
                when 'delivered' then m.state <> 'delivered'
                when 'failed' then m.state in ('queued', 'submitted', 'unresolved')
                else m.state in ('queued', 'unresolved')
            end
        returning slice_of(id_time(m.challenge_id)) as slice
    )
    select count(*), array_agg(distinct slice) into changed, _slices from changed_messages;

    -- A slice is counted twenty minutes after it began: ten minutes lie between whoever still sees it uncounted and that.
    insert into statistics_marks (since)
    select s from unnest(_slices) s where s < _now - interval '10 minutes';
end
$$;
