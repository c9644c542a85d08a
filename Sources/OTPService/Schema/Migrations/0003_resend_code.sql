-- Why: sending the same code of a live challenge again, as one statement, under the same limits as a first send.
-- Lock: none. Duration: instant.

-- Outcomes: those of charge_send, and not-active, resends-exhausted.
create function resend_code(
    _at timestamptz, _challenge uuid, _channel channel, _cooldowns bigint[],
    _first_step bigint, _first_window bigint, _second_step bigint, _second_window bigint,
    _network text, _network_step bigint, _network_window bigint,
    _prefix_step bigint, _prefix_window bigint, _prefix_enforced boolean,
    out outcome text, out decided_at timestamptz, out wait bigint, out prefix_over boolean,
    out phone text, out expires_at timestamptz, out resends bigint, out attempts_left bigint, out code_length bigint
)
    language plpgsql
    set enable_seqscan = off
as $$
#variable_conflict use_column
declare
    _phone e164;
    _purpose purpose;
    _named boolean;
    _verified_at timestamptz;
    _verdict record;
begin
    outcome := 'not-active';
    prefix_over := false;
    select c.phone, c.purpose into _phone, _purpose from challenges c where c.id = _challenge;
    if not found then
        return;
    end if;
    -- The phone's lock first; only then is what the challenge row says final.
    select coalesce(_challenge in (p.sign_in, p.change_phone, p.admin_sign_in), false) into _named
    from phones p where p.phone = _phone for no key update;
    decided_at := coalesce(_at, clock_timestamp());
    select c.verified_at, c.expires_at, c.resends, c.max_attempts - c.attempts, c.code_length
    into _verified_at, expires_at, resends, attempts_left, code_length
    from challenges c where c.id = _challenge;
    if _named is not true or _verified_at is not null or expires_at <= decided_at or attempts_left <= 0 then
        return;
    end if;
    if resends >= cardinality(_cooldowns) then
        outcome := 'resends-exhausted';
        return;
    end if;
    _verdict := charge_send(
        decided_at, _phone, _purpose, _challenge,
        -- What the next one has to wait for; after the last, a new challenge.
        _cooldowns[least(resends + 2, cardinality(_cooldowns))],
        _first_step, _first_window, _second_step, _second_window,
        _network, _network_step, _network_window,
        'prefix:' || left(_phone, greatest(length(_phone) - 4, 1)), _prefix_step, _prefix_window, _prefix_enforced);
    outcome := _verdict.outcome;
    wait := _verdict.wait;
    prefix_over := _verdict.prefix_over;
    phone := _phone;
    if outcome = 'accepted' then
        resends := resends + 1;
        update challenges c set resends = c.resends + 1 where c.id = _challenge;
        insert into messages (challenge_id, number, channel, due_at, created_at, updated_at)
        values (_challenge, resends, _channel, decided_at, decided_at, decided_at);
    end if;
end
$$;
