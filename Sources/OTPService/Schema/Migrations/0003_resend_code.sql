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
    _active boolean;
    _resends bigint;
    _verdict record;
begin
    outcome := 'not-active';
    prefix_over := false;
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
    begin
        _verdict := charge_send(
            _at, _phone, _purpose, _challenge, true,
            -- What the next one has to wait for; after the last, a new challenge.
            _cooldowns[least(_resends + 2, cardinality(_cooldowns))],
            _first_step, _first_window, _second_step, _second_window,
            _network, _network_step, _network_window,
            'prefix:' || left(_phone, greatest(length(_phone) - 4, 1)), _prefix_step, _prefix_window, _prefix_enforced);
        outcome := _verdict.outcome;
        decided_at := _verdict.decided_at;
        wait := _verdict.wait;
        prefix_over := _verdict.prefix_over;
        if outcome = 'accepted' then
            -- Answers lock the phone before they change a challenge: what this sees is final.
            update challenges c set resends = c.resends + 1
            where c.id = _challenge and c.resends = _resends
                and c.verified_at is null and c.attempts < c.max_attempts and c.expires_at > decided_at
            returning c.phone, c.expires_at, c.resends, c.max_attempts - c.attempts, c.code_length
            into phone, expires_at, resends, attempts_left, code_length;
            if not found then
                raise exception using errcode = 'PK001', message = 'answered meanwhile';
            end if;
            insert into messages (challenge_id, number, channel, due_at, created_at, updated_at)
            values (_challenge, resends, _channel, decided_at, decided_at, decided_at);
        end if;
    exception when sqlstate 'PK001' then
        -- Its charges are rolled back with the block.
        outcome := 'not-active';
    end;
end
$$;
