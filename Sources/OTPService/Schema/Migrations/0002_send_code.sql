-- Why: sending a code is one statement. These functions lock, look and only then write, so that a refusal changes
--      nothing and an acceptance is exact, however many ask at once. A statement of data-modifying CTEs cannot do that:
--      it sees rows as they were when it began, and what one part has charged another cannot take back.
-- Lock: none. Duration: instant.
--
-- Order of locks, everywhere: phone, network, prefix, challenge.
-- A plan is made when a table is small and kept when it has grown: without enable_seqscan = off a busy first minute
-- would read whole tables.
-- A changed rule gets a new function name: the version before it runs beside it during an upgrade.

-- Microseconds until GCRA allows one more; zero or less: now. The burst is the whole window.
create function gcra_wait(_tat bigint, _now bigint, _step bigint, _window bigint) returns bigint
    language sql immutable
    return greatest(_tat, _now) + _step - _window - _now;

-- Decides whether a message may go to this phone now, and charges it to the phone, the network and the prefix.
--   _at          for tests; otherwise the database's clock
--   _challenge   what the phone names from now on for this purpose
--   _…_step      microseconds that one send costs; null where there is no such limit
-- Outcomes: accepted, resend-too-soon, phone-limit, network-limit, prefix-limit.
create function charge_send(
    _at timestamptz, _phone e164, _purpose purpose, _challenge uuid, _cooldown bigint,
    _first_step bigint, _first_window bigint, _second_step bigint, _second_window bigint,
    _network text, _network_step bigint, _network_window bigint,
    _prefix text, _prefix_step bigint, _prefix_window bigint, _prefix_enforced boolean,
    out outcome text,
    out decided_at timestamptz,
    out wait bigint,            -- microseconds until it may be asked again
    out prefix_over boolean     -- the prefix is over its limit, also where that is only recorded
)
    language plpgsql as $$
declare
    _now bigint;
    _known boolean;
    _resend_at timestamptz;
    _first_tat bigint;
    _second_tat bigint;
begin
    prefix_over := false;
    select resend_at, first_tat, second_tat into _resend_at, _first_tat, _second_tat
    from phones where phone = _phone for no key update;
    _known := found;
    -- After the lock: who had to wait for it is judged by the time that it got it.
    decided_at := coalesce(_at, clock_timestamp());
    _now := (extract(epoch from decided_at) * 1000000)::bigint;

    if not _known then
        insert into phones (phone, first_tat, second_tat, resend_at, sign_in, change_phone, admin_sign_in)
        values (
            _phone, _now + coalesce(_first_step, 0), _now + coalesce(_second_step, 0),
            decided_at + _cooldown * interval '1 s',
            case when _purpose = 'sign_in' then _challenge end,
            case when _purpose = 'change_phone' then _challenge end,
            case when _purpose = 'admin_sign_in' then _challenge end)
        on conflict (phone) do nothing;
        if not found then
            -- Somebody made it since we looked.
            select resend_at, first_tat, second_tat into strict _resend_at, _first_tat, _second_tat
            from phones where phone = _phone for no key update;
            _known := true;
        end if;
    end if;
    if _known then
        if _resend_at > decided_at then
            outcome := 'resend-too-soon';
            wait := (extract(epoch from _resend_at - decided_at) * 1000000)::bigint;
            return;
        end if;
        wait := greatest(
            gcra_wait(_first_tat, _now, _first_step, _first_window),
            gcra_wait(_second_tat, _now, _second_step, _second_window));
        if wait > 0 then
            outcome := 'phone-limit';
            return;
        end if;
    end if;

    insert into rate_limits as r (key, tat) values (_network, _now + _network_step)
    on conflict (key) do update set tat = greatest(r.tat, _now) + _network_step
    where gcra_wait(r.tat, _now, _network_step, _network_window) <= 0;
    if not found then
        outcome := 'network-limit';
        select gcra_wait(tat, _now, _network_step, _network_window) into wait from rate_limits where key = _network;
    elsif _prefix_step is not null then
        insert into rate_limits as r (key, tat) values (_prefix, _now + _prefix_step)
        on conflict (key) do update set tat = greatest(r.tat, _now) + _prefix_step
        where gcra_wait(r.tat, _now, _prefix_step, _prefix_window) <= 0;
        if not found then
            prefix_over := true;
            if _prefix_enforced then
                outcome := 'prefix-limit';
                select gcra_wait(tat, _now, _prefix_step, _prefix_window) into wait from rate_limits where key = _prefix;
                update rate_limits set tat = tat - _network_step where key = _network;
            end if;
        end if;
    end if;
    if outcome is not null then
        if not _known then
            delete from phones where phone = _phone;
        end if;
        return;
    end if;

    if _known then
        update phones set
            first_tat = greatest(first_tat, _now) + coalesce(_first_step, 0),
            second_tat = greatest(second_tat, _now) + coalesce(_second_step, 0),
            resend_at = decided_at + _cooldown * interval '1 s',
            sign_in = case when _purpose = 'sign_in' then _challenge else sign_in end,
            change_phone = case when _purpose = 'change_phone' then _challenge else change_phone end,
            admin_sign_in = case when _purpose = 'admin_sign_in' then _challenge else admin_sign_in end
        where phone = _phone;
    end if;
    outcome := 'accepted';
    wait := 0;
end
$$;

-- A new challenge and the message that carries its code. The phone names it from now on, which supersedes the one before.
create function send_code(
    _at timestamptz, _phone e164, _purpose purpose, _channel channel,
    _challenge uuid, _key_id text, _digest bytea, _code_length bigint, _lifetime bigint, _max_attempts bigint, _cooldown bigint,
    _first_step bigint, _first_window bigint, _second_step bigint, _second_window bigint,
    _network text, _network_step bigint, _network_window bigint,
    _prefix text, _prefix_step bigint, _prefix_window bigint, _prefix_enforced boolean,
    out outcome text, out decided_at timestamptz, out wait bigint, out prefix_over boolean
)
    language plpgsql
    set enable_seqscan = off
as $$
declare
    _verdict record;
begin
    _verdict := charge_send(
        _at, _phone, _purpose, _challenge, _cooldown,
        _first_step, _first_window, _second_step, _second_window,
        _network, _network_step, _network_window,
        _prefix, _prefix_step, _prefix_window, _prefix_enforced);
    outcome := _verdict.outcome;
    decided_at := _verdict.decided_at;
    wait := _verdict.wait;
    prefix_over := _verdict.prefix_over;
    if outcome = 'accepted' then
        insert into challenges (id, phone, purpose, key_id, digest, code_length, max_attempts, created_at, expires_at)
        values (
            _challenge, _phone, _purpose, _key_id, _digest, _code_length, _max_attempts,
            decided_at, decided_at + _lifetime * interval '1 s');
        insert into messages (challenge_id, number, channel, due_at, created_at, updated_at)
        values (_challenge, 0, _channel, decided_at, decided_at, decided_at);
    end if;
end
$$;
