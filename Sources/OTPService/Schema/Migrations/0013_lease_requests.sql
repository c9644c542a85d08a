-- Why: a process takes its networks' requests in small batches, charged before they are used, so that what all processes
--      let through never exceeds the limit and most requests cost no statement.
-- Lock: none. Duration: instant.
--
-- Alone it commits without waiting for the disk: a crash of PostgreSQL can forgive a network the requests of half a second.
-- _durable: it is part of a statement that must last.

create function lease_requests(
    _at timestamptz, _network text, _step bigint, _window bigint, _needed bigint, _spare bigint, _durable boolean,
    out granted bigint,
    out remaining bigint,   -- what the network has left besides
    out wait bigint         -- microseconds until it has one more
)
    language plpgsql
    set enable_seqscan = off
    set plan_cache_mode = force_generic_plan
as $$
declare
    _now bigint;
    _tat bigint;
    _available bigint;
begin
    for _round in 1..10 loop
        _now := (extract(epoch from coalesce(_at, clock_timestamp())) * 1000000)::bigint;
        select r.requests_tat into _tat from rate_limits r where r.key = _network;
        _available := gcra_grant(coalesce(_tat, 0), _now, _step, _window, _window);
        -- What is spare shrinks as the allowance does, so that no process sits on the last of it.
        granted := least(_available, _needed + least(_spare, _available / 16));
        remaining := _available - granted;
        if granted <= 0 then
            granted := 0;
            wait := gcra_wait(coalesce(_tat, 0), _now, _step, _window);
            return;
        end if;
        if not _durable then
            perform set_config('synchronous_commit', 'off', true);
        end if;
        insert into rate_limits as r (key, tat, requests_tat) values (_network, 0, _now + granted * _step)
        on conflict (key) do update set requests_tat = greatest(r.requests_tat, _now) + granted * _step
        where gcra_grant(r.requests_tat, _now, _step, _window, granted) = granted
        returning r.requests_tat into _tat;
        if found then
            wait := gcra_wait(_tat, _now, _step, _window);
            return;
        end if;
    end loop;
    granted := 0;
    remaining := 0;
    wait := _step;
end
$$;
