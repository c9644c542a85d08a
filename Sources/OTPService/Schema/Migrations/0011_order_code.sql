-- Why: the statement of a send, as in 0002, with what has come since: the network's allowance of requests, the daily
--      budget, and Idempotency-Key. send_code and resend_code stay for the version before this one.
-- Lock: none. Duration: instant.
--
-- Order of locks, everywhere: network, prefix, budget, phone, challenge.

-- How many of _want requests GCRA allows now.
create function gcra_grant(_tat bigint, _now bigint, _step bigint, _window bigint, _want bigint) returns bigint
    language sql immutable
    return greatest(least(_want, (_window - greatest(_tat - _now, 0)) / _step), 0);

-- Charges one message to the day's budget; false when it is used up. A part that is full passes on to the next, so that
-- the whole budget can be used and never more.
create function charge_budget(_day date, _budget bigint, _parts bigint, out part bigint)
    language plpgsql as $$
declare
    _share bigint;
begin
    part := floor(random() * _parts);
    for _turn in 1.._parts loop
        -- The first parts have one more where the budget does not divide.
        _share := _budget / _parts + case when part < _budget % _parts then 1 else 0 end;
        if _share > 0 then
            insert into sms_budget as b (day, part, used) values (_day, charge_budget.part, 1)
            on conflict on constraint sms_budget_pkey do update set used = b.used + 1 where b.used < _share;
            if found then
                return;
            end if;
        end if;
        part := (part + 1) % _parts;
    end loop;
    part := null;
end
$$;

-- Decides whether a message may go to this phone now, and charges it to the network, the prefix, the budget and the
-- phone, or to none of them.
--   _at          for tests; otherwise the database's clock
--   _challenge   what the phone names from now on for this purpose
--   _again       only if it is what the phone names already
--   _…_step      microseconds that one costs; null where there is no such limit
--   _requests    requests to charge to the network, besides the message; as many as are left, at least one; 0: none
--   _budget      messages of a day; null: no such limit
-- Outcomes: accepted, resend-too-soon, phone-limit, request-limit, network-limit, prefix-limit, budget-limit,
-- not-active (with _again only).
create function charge_message(
    _at timestamptz, _phone e164, _purpose purpose, _challenge uuid, _again boolean, _cooldown bigint,
    _first_step bigint, _first_window bigint, _second_step bigint, _second_window bigint,
    _network text, _network_step bigint, _network_window bigint,
    _requests bigint, _request_step bigint, _request_window bigint,
    _prefix text, _prefix_step bigint, _prefix_window bigint, _prefix_enforced boolean,
    _budget bigint, _budget_parts bigint,
    out outcome text,
    out decided_at timestamptz,
    out wait bigint,            -- microseconds until it may be asked again
    out prefix_over boolean,    -- the prefix is over its limit, also where that is only recorded
    out network_left bigint,    -- messages that the network may still ask for
    out network_wait bigint,    -- microseconds until that is one more
    out requests_granted bigint
)
    language plpgsql as $$
declare
    _now bigint;
    _resend_at timestamptz;
    _phone_wait bigint;
    _requests_tat bigint;
    _network_tat bigint;
    _prefix_wait bigint;
    _part bigint;
    _day date;
begin
    -- Once, as good as always. Again when somebody else was faster, whose rows the next look sees.
    for _round in 1..10 loop
        decided_at := coalesce(_at, clock_timestamp());
        _now := (extract(epoch from decided_at) * 1000000)::bigint;
        _day := (decided_at at time zone 'UTC')::date;

        -- A look without locks. Nearly all refusals end here and cost no commit.
        select p.resend_at,
            greatest(
                gcra_wait(p.first_tat, _now, _first_step, _first_window),
                gcra_wait(p.second_tat, _now, _second_step, _second_window)),
            coalesce(n.tat, 0), coalesce(n.requests_tat, 0),
            gcra_wait(x.tat, _now, _prefix_step, _prefix_window)
        into _resend_at, _phone_wait, _network_tat, _requests_tat, _prefix_wait
        from (values (1)) as always
        left join phones p on p.phone = _phone
        left join rate_limits n on n.key = _network
        left join rate_limits x on x.key = _prefix;

        prefix_over := coalesce(_prefix_wait > 0, false);
        requests_granted := case when _requests > 0
            then gcra_grant(_requests_tat, _now, _request_step, _request_window, _requests) else 0 end;
        network_wait := gcra_wait(_network_tat, _now, _network_step, _network_window);
        network_left := gcra_grant(_network_tat, _now, _network_step, _network_window, _network_window);
        if _requests > 0 and requests_granted = 0 then
            outcome := 'request-limit';
            wait := gcra_wait(_requests_tat, _now, _request_step, _request_window);
            return;
        elsif _resend_at > decided_at then
            outcome := 'resend-too-soon';
            wait := (extract(epoch from _resend_at - decided_at) * 1000000)::bigint;
            return;
        elsif _phone_wait > 0 then
            outcome := 'phone-limit';
            wait := _phone_wait;
            return;
        elsif network_wait > 0 then
            outcome := 'network-limit';
            wait := network_wait;
            return;
        elsif prefix_over and _prefix_enforced then
            outcome := 'prefix-limit';
            wait := _prefix_wait;
            return;
        elsif _budget is not null
            and (select sum(b.used) from sms_budget b where b.day = _day) >= _budget then
            outcome := 'budget-limit';
            wait := (extract(epoch from (_day + 1)::timestamp at time zone 'UTC' - decided_at) * 1000000)::bigint;
            return;
        end if;

        insert into rate_limits as r (key, tat, requests_tat)
        values (
            _network, _now + _network_step,
            case when requests_granted > 0 then _now + requests_granted * _request_step else 0 end)
        on conflict (key) do update set
            tat = greatest(r.tat, _now) + _network_step,
            requests_tat = case when requests_granted > 0
                then greatest(r.requests_tat, _now) + requests_granted * _request_step else r.requests_tat end
        where gcra_wait(r.tat, _now, _network_step, _network_window) <= 0
            and (requests_granted = 0
                or gcra_grant(r.requests_tat, _now, _request_step, _request_window, requests_granted) = requests_granted)
        returning r.tat into _network_tat;
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
                    perform return_charge(_network, _network_step, requests_granted * _request_step);
                    continue;
                end if;
            end if;
        end if;

        if _budget is not null then
            _part := charge_budget(_day, _budget, _budget_parts);
            if _part is null then
                perform return_charge(_network, _network_step, requests_granted * _request_step);
                if _prefix_step is not null and not prefix_over then
                    perform return_charge(_prefix, _prefix_step, 0);
                end if;
                continue;
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
            network_wait := gcra_wait(_network_tat, _now, _network_step, _network_window);
            network_left := gcra_grant(_network_tat, _now, _network_step, _network_window, _network_window);
            return;
        end if;
        perform return_charge(_network, _network_step, requests_granted * _request_step);
        if _prefix_step is not null and not prefix_over then
            perform return_charge(_prefix, _prefix_step, 0);
        end if;
        if _part is not null then
            update sms_budget b set used = b.used - 1 where b.day = _day and b.part = _part;
        end if;
    end loop;
    outcome := case when _again then 'not-active' else 'resend-too-soon' end;
    wait := 1000000;
    requests_granted := 0;
end
$$;

-- Gives back what this transaction has charged to a row that it has locked.
create function return_charge(_key text, _step bigint, _requests bigint) returns void
    language sql
    begin atomic
        update rate_limits set tat = tat - _step, requests_tat = requests_tat - coalesce(_requests, 0) where key = _key;
    end;

-- A new challenge and the message that carries its code. The phone names it from now on, which supersedes the one before.
--   _message       the state that the message begins in: queued, or delivered where it never goes out
--   _idempotency   the key of the request or null; _fingerprint what it asks for
-- Outcomes besides those of charge_message: replayed (the members are those of the first answer), key-reused, in-progress.
create function order_code(
    _at timestamptz, _phone e164, _purpose purpose, _channel channel, _message message_state,
    _challenge uuid, _key_id text, _digest bytea, _code_length bigint, _lifetime bigint, _max_attempts bigint,
    _cooldown bigint, _resends bigint,
    _first_step bigint, _first_window bigint, _second_step bigint, _second_window bigint,
    _network text, _network_step bigint, _network_window bigint,
    _requests bigint, _request_step bigint, _request_window bigint,
    _prefix text, _prefix_step bigint, _prefix_window bigint, _prefix_enforced boolean,
    _budget bigint, _budget_parts bigint,
    _idempotency bytea, _fingerprint bytea,
    out outcome text, out decided_at timestamptz, out wait bigint, out prefix_over boolean,
    out network_left bigint, out network_wait bigint, out requests_granted bigint,
    out challenge uuid, out channel text, out lifetime bigint, out resend_after bigint, out resends_left bigint,
    out attempts_left bigint, out code_length bigint
)
    language plpgsql
    set enable_seqscan = off
    set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
    _verdict record;
    _first record;
begin
    prefix_over := false;
    requests_granted := 0;
    if _idempotency is not null then
        -- Twice: first without a lock, then under it, when whoever had it has committed or given up.
        for _turn in 1..2 loop
            decided_at := coalesce(_at, clock_timestamp());
            select k.* into _first from idempotency_keys k
            where k.key = _idempotency and k.decided_at > order_code.decided_at - interval '24 h';
            if found then
                if _first.fingerprint <> _fingerprint then
                    outcome := 'key-reused';
                    return;
                end if;
                outcome := 'replayed';
                decided_at := _first.decided_at;
                challenge := _first.challenge_id;
                channel := _first.channel;
                lifetime := _first.lifetime;
                resend_after := _first.resend_after;
                resends_left := _first.resends_left;
                attempts_left := _first.attempts_left;
                code_length := _first.code_length;
                return;
            end if;
            -- Nobody waits here: of two at once the later one is told that the first is still running.
            if _turn = 1 and not pg_try_advisory_xact_lock(
                ('x' || encode(substr(_idempotency, 1, 8), 'hex'))::bit(64)::bigint) then
                outcome := 'in-progress';
                return;
            end if;
        end loop;
    end if;

    _verdict := charge_message(
        _at, _phone, _purpose, _challenge, false, _cooldown,
        _first_step, _first_window, _second_step, _second_window,
        _network, _network_step, _network_window, _requests, _request_step, _request_window,
        _prefix, _prefix_step, _prefix_window, _prefix_enforced, _budget, _budget_parts);
    outcome := _verdict.outcome;
    decided_at := _verdict.decided_at;
    wait := _verdict.wait;
    prefix_over := _verdict.prefix_over;
    network_left := _verdict.network_left;
    network_wait := _verdict.network_wait;
    requests_granted := _verdict.requests_granted;
    if outcome <> 'accepted' then
        return;
    end if;
    challenge := _challenge;
    channel := _channel;
    lifetime := _lifetime;
    resend_after := _cooldown;
    resends_left := _resends;
    attempts_left := _max_attempts;
    code_length := _code_length;
    insert into challenges (id, phone, purpose, key_id, digest, code_length, max_attempts, created_at, expires_at)
    values (
        _challenge, _phone, _purpose, _key_id, _digest, _code_length, _max_attempts,
        order_code.decided_at, order_code.decided_at + _lifetime * interval '1 s');
    insert into messages (challenge_id, number, channel, state, due_at, created_at, updated_at)
    values (
        _challenge, 0, _channel, _message, order_code.decided_at, order_code.decided_at, order_code.decided_at);
    if _idempotency is not null then
        insert into idempotency_keys as k (
            key, fingerprint, decided_at, challenge_id, channel, lifetime, resend_after, resends_left, attempts_left,
            code_length)
        values (
            _idempotency, _fingerprint, order_code.decided_at, _challenge, _channel, _lifetime, _cooldown, _resends,
            _max_attempts, _code_length)
        -- One that is older than a day.
        on conflict on constraint idempotency_keys_pkey do update set
            fingerprint = excluded.fingerprint, decided_at = excluded.decided_at, challenge_id = excluded.challenge_id,
            channel = excluded.channel, lifetime = excluded.lifetime, resend_after = excluded.resend_after,
            resends_left = excluded.resends_left, attempts_left = excluded.attempts_left,
            code_length = excluded.code_length;
    end if;
end
$$;
