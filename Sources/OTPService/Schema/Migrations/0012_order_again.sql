-- Why: the statement of a resend and that of an answer, as in 0003 and 0004, with the allowance of requests, the budget,
--      and a look without locks that ends refused answers without a commit.
-- Lock: none. Duration: instant.

-- Outcomes: those of charge_message, and not-active, resends-exhausted. _message: as of order_code, for phones in
-- _test_phones 'delivered' and without a budget.
create function order_again(
    _at timestamptz, _challenge uuid, _channel channel, _test_phones text[], _cooldowns bigint[],
    _first_step bigint, _first_window bigint, _second_step bigint, _second_window bigint,
    _network text, _network_step bigint, _network_window bigint,
    _requests bigint, _request_step bigint, _request_window bigint,
    _prefix_step bigint, _prefix_window bigint, _prefix_enforced boolean,
    _budget bigint, _budget_parts bigint,
    out outcome text, out decided_at timestamptz, out wait bigint, out prefix_over boolean,
    out network_left bigint, out network_wait bigint, out requests_granted bigint,
    out phone text, out expires_at timestamptz, out resends bigint, out attempts_left bigint, out code_length bigint
)
    language plpgsql
    set enable_seqscan = off
    set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
    _phone e164;
    _purpose purpose;
    _active boolean;
    _resends bigint;
    _verdict record;
    _is_test boolean;
begin
    outcome := 'not-active';
    prefix_over := false;
    requests_granted := 0;
    decided_at := coalesce(_at, clock_timestamp());
    -- A look without locks; what it finds is judged once more when the phone is locked.
    select c.phone, c.purpose, c.resends,
        c.verified_at is null and c.attempts < c.max_attempts and c.expires_at > decided_at
            and c.id in (p.sign_in, p.change_phone, p.admin_sign_in)
    into _phone, _purpose, _resends, _active
    from challenges c join phones p on p.phone = c.phone
    where c.id = _challenge;
    if _active is not true then
        return;
    end if;
    if _resends >= cardinality(_cooldowns) then
        outcome := 'resends-exhausted';
        return;
    end if;
    _is_test := _phone::text = any(_test_phones);
    begin
        _verdict := charge_message(
            _at, _phone, _purpose, _challenge, true,
            -- What the next one has to wait for; after the last, a new challenge.
            _cooldowns[least(_resends + 2, cardinality(_cooldowns))],
            _first_step, _first_window, _second_step, _second_window,
            _network, _network_step, _network_window, _requests, _request_step, _request_window,
            'prefix:' || left(_phone, greatest(length(_phone) - 4, 1)), _prefix_step, _prefix_window, _prefix_enforced,
            case when not _is_test then _budget end, _budget_parts);
        outcome := _verdict.outcome;
        decided_at := _verdict.decided_at;
        wait := _verdict.wait;
        prefix_over := _verdict.prefix_over;
        network_left := _verdict.network_left;
        network_wait := _verdict.network_wait;
        requests_granted := _verdict.requests_granted;
        if outcome <> 'accepted' then
            phone := _phone;
            return;
        end if;
        -- Answers lock the phone before they change a challenge: what this sees is final.
        update challenges c set resends = c.resends + 1
        where c.id = _challenge and c.resends = _resends
            and c.verified_at is null and c.attempts < c.max_attempts and c.expires_at > decided_at
        returning c.phone, c.expires_at, c.resends, c.max_attempts - c.attempts, c.code_length
        into phone, expires_at, resends, attempts_left, code_length;
        if not found then
            raise exception using errcode = 'PK001', message = 'answered meanwhile';
        end if;
        insert into messages (challenge_id, number, channel, state, due_at, created_at, updated_at)
        values (
            _challenge, resends, _channel,
            case when _is_test then 'delivered'::message_state else 'queued'::message_state end,
            decided_at, decided_at, decided_at);
    exception when sqlstate 'PK001' then
        -- Its charges are rolled back with the block.
        outcome := 'not-active';
        requests_granted := 0;
    end;
end
$$;

-- Outcomes: verified, incorrect, locked, not-active (unknown, expired, used, superseded, out of attempts).
-- The server passes what the stored digest would be under each key it has; it does not read it.
create function judge_answer(
    _at timestamptz, _challenge uuid,
    _key_id text, _digest bytea, _previous_key_id text, _previous_digest bytea,
    _lock_every bigint, _lock_seconds bigint, _lock_for_good bigint,
    out outcome text, out decided_at timestamptz, out wait bigint,
    out phone text, out purpose text, out attempts_left bigint
)
    language plpgsql
    set enable_seqscan = off
    set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
    _phone e164;
    _purpose purpose;
    _named boolean;
    _active boolean;
    _locked_until timestamptz;
    _verified boolean;
begin
    outcome := 'not-active';
    decided_at := coalesce(_at, clock_timestamp());
    -- A look without locks: a challenge that is dead stays dead, and a lock ends by time or by an operator. Refusals end
    -- here and cost no commit.
    select c.phone, c.purpose,
        c.verified_at is null and c.attempts < c.max_attempts and c.expires_at > decided_at
            and c.id in (p.sign_in, p.change_phone, p.admin_sign_in),
        p.locked_until
    into _phone, _purpose, _active, _locked_until
    from challenges c join phones p on p.phone = c.phone
    where c.id = _challenge;
    if _active is not true then
        return;
    end if;
    if _locked_until > decided_at then
        outcome := 'locked';
        wait := (extract(epoch from least(_locked_until, decided_at + interval '1 day') - decided_at) * 1000000)::bigint;
        return;
    end if;

    -- The phone's lock: its answers, over all challenges, are judged one after another.
    select coalesce(_challenge in (p.sign_in, p.change_phone, p.admin_sign_in), false), p.locked_until
    into _named, _locked_until
    from phones p where p.phone = _phone for no key update;
    decided_at := coalesce(_at, clock_timestamp());
    if _named is not true then
        return;
    end if;
    if _locked_until > decided_at then
        perform from challenges c
        where c.id = _challenge
            and c.verified_at is null and c.attempts < c.max_attempts and c.expires_at > decided_at;
        if found then
            outcome := 'locked';
            wait := (extract(epoch from least(_locked_until, decided_at + interval '1 day') - decided_at) * 1000000)::bigint;
        end if;
        return;
    end if;

    update challenges c set
        attempts = c.attempts + 1,
        verified_at = case
            when (c.key_id = _key_id and c.digest = _digest)
                or (c.key_id = _previous_key_id and c.digest = _previous_digest) then decided_at
        end
    where c.id = _challenge and c.verified_at is null and c.attempts < c.max_attempts and c.expires_at > decided_at
    returning c.verified_at is not null, c.max_attempts - c.attempts into _verified, attempts_left;
    if not found then
        return;
    end if;
    if _verified then
        outcome := 'verified';
        phone := _phone;
        purpose := _purpose;
        update phones p set failures = 0, locked_until = '-infinity', resend_at = '-infinity' where p.phone = _phone;
    else
        outcome := 'incorrect';
        update phones p set
            failures = p.failures + 1,
            locked_until = case
                when p.failures + 1 >= _lock_for_good then 'infinity'
                when (p.failures + 1) % _lock_every = 0 then decided_at + _lock_seconds * interval '1 s'
                else p.locked_until
            end
        where p.phone = _phone;
    end if;
end
$$;
