-- Why: sending a code is one statement. These functions look, then charge row by row under locks, and give back what was
--      charged when a later row refuses: a refusal changes nothing, and an acceptance is exact, however many ask at
--      once. A statement of data-modifying CTEs cannot do that: it sees rows as they were when it began, and what one
--      part has charged another cannot take back.
-- Lock: none. Duration: instant.
--
-- Order of locks, everywhere: network, prefix, phone, challenge.
-- A plan is made when a table is small and kept when it has grown: without enable_seqscan = off a busy first minute
-- would read whole tables.
-- A changed rule gets a new function name: the version before it runs beside it during an upgrade.

-- Microseconds until GCRA allows one more; zero or less: now. The burst is the whole window. Null: no such limit.
create function gcra_wait(_tat bigint, _now bigint, _step bigint, _window bigint) returns bigint
    language sql immutable
    return greatest(_tat, _now) + _step - _window - _now;

-- Decides whether a message may go to this phone now, and charges it to the network, the prefix and the phone.
--   _at          for tests; otherwise the database's clock
--   _challenge   what the phone names from now on for this purpose
--   _again       only if it is what the phone names already
--   _…_step      microseconds that one message costs; null where there is no such limit
-- Outcomes: accepted, resend-too-soon, phone-limit, network-limit, prefix-limit, not-active (with _again only).
create function charge_send(
    _at timestamptz, _phone e164, _purpose purpose, _challenge uuid, _again boolean, _cooldown bigint,
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
    _resend_at timestamptz;
    _phone_wait bigint;
    _network_wait bigint;
    _prefix_wait bigint;
begin
    -- Once, as good as always. Again when somebody else was faster, whose rows the next look sees.
    for _round in 1..10 loop
        decided_at := coalesce(_at, clock_timestamp());
        _now := (extract(epoch from decided_at) * 1000000)::bigint;

        -- A look without locks. Nearly all refusals end here and cost no commit.
        select p.resend_at,
            greatest(
                gcra_wait(p.first_tat, _now, _first_step, _first_window),
                gcra_wait(p.second_tat, _now, _second_step, _second_window)),
            gcra_wait(n.tat, _now, _network_step, _network_window),
            gcra_wait(x.tat, _now, _prefix_step, _prefix_window)
        into _resend_at, _phone_wait, _network_wait, _prefix_wait
        from (values (1)) as always
        left join phones p on p.phone = _phone
        left join rate_limits n on n.key = _network
        left join rate_limits x on x.key = _prefix;

        prefix_over := coalesce(_prefix_wait > 0, false);
        if _resend_at > decided_at then
            outcome := 'resend-too-soon';
            wait := (extract(epoch from _resend_at - decided_at) * 1000000)::bigint;
            return;
        elsif _phone_wait > 0 then
            outcome := 'phone-limit';
            wait := _phone_wait;
            return;
        elsif _network_wait > 0 then
            outcome := 'network-limit';
            wait := _network_wait;
            return;
        elsif prefix_over and _prefix_enforced then
            outcome := 'prefix-limit';
            wait := _prefix_wait;
            return;
        end if;

        insert into rate_limits as r (key, tat) values (_network, _now + _network_step)
        on conflict (key) do update set tat = greatest(r.tat, _now) + _network_step
        where gcra_wait(r.tat, _now, _network_step, _network_window) <= 0;
        if not found then
            continue;
        end if;

        if _prefix_step is not null and not prefix_over then
            insert into rate_limits as r (key, tat) values (_prefix, _now + _prefix_step)
            on conflict (key) do update set tat = greatest(r.tat, _now) + _prefix_step
            where gcra_wait(r.tat, _now, _prefix_step, _prefix_window) <= 0;
            if not found then
                prefix_over := true;
                if _prefix_enforced then
                    update rate_limits set tat = tat - _network_step where key = _network;
                    continue;
                end if;
            end if;
        end if;

        insert into phones as p (phone, first_tat, second_tat, resend_at, sign_in, change_phone, admin_sign_in)
        values (
            _phone, _now + coalesce(_first_step, 0), _now + coalesce(_second_step, 0),
            decided_at + _cooldown * interval '1 s',
            case when _purpose = 'sign_in' then _challenge end,
            case when _purpose = 'change_phone' then _challenge end,
            case when _purpose = 'admin_sign_in' then _challenge end)
        on conflict (phone) do update set
            first_tat = greatest(p.first_tat, _now) + coalesce(_first_step, 0),
            second_tat = greatest(p.second_tat, _now) + coalesce(_second_step, 0),
            resend_at = excluded.resend_at,
            sign_in = coalesce(excluded.sign_in, p.sign_in),
            change_phone = coalesce(excluded.change_phone, p.change_phone),
            admin_sign_in = coalesce(excluded.admin_sign_in, p.admin_sign_in)
        where p.resend_at <= decided_at
            and coalesce(gcra_wait(p.first_tat, _now, _first_step, _first_window), 0) <= 0
            and coalesce(gcra_wait(p.second_tat, _now, _second_step, _second_window), 0) <= 0
            and (not _again or _challenge in (p.sign_in, p.change_phone, p.admin_sign_in));
        if found then
            outcome := 'accepted';
            wait := 0;
            return;
        end if;
        update rate_limits set tat = tat - _network_step where key = _network;
        if _prefix_step is not null and not prefix_over then
            update rate_limits set tat = tat - _prefix_step where key = _prefix;
        end if;
    end loop;
    outcome := case when _again then 'not-active' else 'resend-too-soon' end;
    wait := 1000000;
end
$$;

-- A new challenge and the message that carries its code. The phone names it from now on, which supersedes the one before.
create function send_code(
    _at timestamptz, _phone e164, _purpose purpose, _channel channel,
    _challenge uuid, _key_id text, _digest bytea, _code_length bigint, _lifetime bigint, _max_attempts bigint,
    _cooldown bigint,
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
        _at, _phone, _purpose, _challenge, false, _cooldown,
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
