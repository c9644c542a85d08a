-- Why: rows are forgotten by dropping the table of a day, whose cost does not depend on how many there are. An id is a
--      UUIDv7: a day is a range of ids, and who asks for an id is led to its day.
-- Lock: ACCESS EXCLUSIVE on challenges and messages. No row is copied: the tables as they are become the days up to now.
-- Duration: one look at every row and one new index: about two seconds for a million challenges.
--
-- Many partitions make every statement slow: a cached plan locks each of them, an update opens each of them. So there are
-- two parents. challenges and messages have what can still change: yesterday, today, tomorrow, and a default that a send never
-- fails for want of a day. A day older than that moves, as it is, to past_challenges and past_messages, which no
-- hot statement knows, and is dropped there when OTP_RETENTION_DAYS are over. docs/architecture.md has what this costs.

-- The least id of a moment: ids begin with their time in milliseconds (RFC 9562 §5.7).
create function first_id(_at timestamptz) returns uuid
    language sql immutable strict parallel safe
    return (lpad(to_hex(floor(extract(epoch from _at) * 1000)::int8), 12, '0') || repeat('0', 20))::uuid;

-- When an id was made, by the clock of whoever made it.
create function id_time(_id uuid) returns timestamptz
    language sql immutable strict parallel safe
    return to_timestamp(('x' || translate(left(_id::text, 13), '-', ''))::bit(48)::int8 / 1000.0);

-- When the phone had it, as far as a report told.
alter table messages add column delivered_at timestamptz;

do $$
declare
    _today date := (now() at time zone 'UTC')::date;
    _suffix text := '_to_' || to_char(_today, 'YYYYMMDD');
    _table text;
    _key text;
begin
    lock table challenges, messages in access exclusive mode;
    foreach _table in array array['challenges', 'messages'] loop
        _key := case _table when 'challenges' then 'id' else 'challenge_id' end;
        execute format('alter table %I rename to %I', _table, _table || _suffix);
        execute format('alter table %I rename constraint %I to %I',
            _table || _suffix, _table || '_pkey', _table || _suffix || '_pkey');
        execute format(
            'create table %I (like %I including defaults including constraints) partition by range (%I)',
            _table, _table || _suffix, _key);
        execute format(
            'create table %I (like %I including defaults including constraints) partition by range (%I)',
            'past_' || _table, _table || _suffix, _key);
    end loop;
end
$$;

alter index messages_queue rename to messages_queue_before;

alter table challenges add constraint challenges_pkey primary key (id);
-- What was sent to a phone. Neither column ever changes.
create index challenges_phone on challenges (phone, id);
alter table messages add constraint messages_pkey primary key (challenge_id, number);
-- The queue, oldest first. due_at is not in it, because taking a message moves due_at.
create index messages_queue on messages (challenge_id, number) where state = 'queued';

alter table past_challenges add constraint past_challenges_pkey primary key (id);
create index past_challenges_phone on past_challenges (phone, id);
alter table past_messages add constraint past_messages_pkey primary key (challenge_id, number);

create table challenges_default partition of challenges default
    with (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02);
create table messages_default partition of messages default
    with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);

do $$
declare
    _today date := (now() at time zone 'UTC')::date;
    _suffix text := '_to_' || to_char(_today, 'YYYYMMDD');
    _end uuid := first_id((_today + 1)::timestamp at time zone 'UTC');
begin
    -- Ids of a clock that goes wrong.
    execute format('with moved as (delete from %I where id >= %L returning *) insert into challenges_default select * from moved',
        'challenges' || _suffix, _end);
    execute format('with moved as (delete from %I where challenge_id >= %L returning *) insert into messages_default select * from moved',
        'messages' || _suffix, _end);
    execute format('alter table challenges attach partition %I for values from (minvalue) to (%L)',
        'challenges' || _suffix, _end);
    execute format('alter table messages attach partition %I for values from (minvalue) to (%L)',
        'messages' || _suffix, _end);
end
$$;

-- All there is, for whoever looks at more than one challenge.
create view all_challenges as select * from challenges union all select * from past_challenges;
create view all_messages as select * from messages union all select * from past_messages;

-- Does the next thing that days need, and says what it was; nothing when all is done, or another instance is at it:
--   made       a day that is to come, or should have
--   closed     a day before yesterday can change no more: it is detached from its parent
--   archived   and joined to the past, with a look at every row that nobody waits for
--   dropped    a day that nobody may remember, _keep days after its end
-- One thing at a time, each a transaction of its own, or a table would stay locked while another is looked at.
--
-- Lock: ACCESS EXCLUSIVE on one parent and its default for the time of a catalogue change; lock_timeout keeps it from
-- queueing requests behind itself when a long transaction holds the table.
create function maintain_days(_as_of timestamptz, _keep bigint, out done text, out day_table text)
    language plpgsql as $$
declare
    _today date := (coalesce(_as_of, now()) at time zone 'UTC')::date;
    _parent text;
    _key text;
    _day date;
    _from text;
    _to text;
begin
    if not pg_try_advisory_xact_lock(hashtextextended('maintain_days', 0)) then
        return;
    end if;
    perform set_config('lock_timeout', '250ms', true);

    foreach _parent in array array['messages', 'challenges'] loop
        _key := case _parent when 'challenges' then 'id' else 'challenge_id' end;

        for _offset in 0..1 loop
            _day := _today + _offset;
            day_table := _parent || '_' || to_char(_day, 'YYYYMMDD');
            continue when to_regclass(day_table) is not null
                or to_regclass(_parent || '_to_' || to_char(_day, 'YYYYMMDD')) is not null;
            _from := first_id(_day::timestamp at time zone 'UTC')::text;
            _to := first_id((_day + 1)::timestamp at time zone 'UTC')::text;
            execute format(
                'create table %I (like %I including defaults including constraints including indexes)
                 with (fillfactor = %s, autovacuum_vacuum_scale_factor = 0.02)',
                day_table, _parent, case _parent when 'challenges' then 85 else 80 end);
            -- Rows of that day in the default would forbid the day: they move.
            execute format('lock table %I in access exclusive mode', _parent || '_default');
            execute format(
                'with moved as (delete from %I where %I >= %L and %I < %L returning *) insert into %I select * from moved',
                _parent || '_default', _key, _from, _key, _to, day_table);
            execute format('alter table %I attach partition %I for values from (%L) to (%L)', _parent, day_table, _from, _to);
            done := 'made';
            return;
        end loop;

        for day_table, _day in
            select c.relname, to_date(right(c.relname, 8), 'YYYYMMDD')
            from pg_class c
            where c.relnamespace = (select relnamespace from pg_class where oid = _parent::regclass)
                and c.relkind = 'r' and c.relname ~ ('^' || _parent || '_(to_)?[0-9]{8}$')
                and not exists (select from pg_inherits i where i.inhrelid = c.oid)
        loop
            _to := first_id((_day + 1)::timestamp at time zone 'UTC')::text;
            execute format(
                'alter table %I attach partition %I for values from (%s) to (%L)', 'past_' || _parent, day_table,
                case when day_table like '%\_to\_%' then 'minvalue'
                    else quote_literal(first_id(_day::timestamp at time zone 'UTC')) end, _to);
            if _parent = 'challenges' then
                -- Both tables of the day are there again, and nothing in them changes any more: its numbers become final.
                insert into statistics_marks (since)
                select generate_series(
                    (_day - case when day_table like '%\_to\_%' then 1 else 0 end)::timestamp at time zone 'UTC',
                    (_day + 1)::timestamp at time zone 'UTC' - interval '5 minutes', interval '5 minutes');
            end if;
            done := 'archived';
            return;
        end loop;

        for day_table, _day in
            select c.relname, to_date(right(c.relname, 8), 'YYYYMMDD')
            from pg_inherits i join pg_class c on c.oid = i.inhrelid
            where i.inhparent = _parent::regclass and c.relname ~ ('^' || _parent || '_(to_)?[0-9]{8}$')
        loop
            continue when _day >= _today - 1;
            execute format('alter table %I detach partition %I', _parent, day_table);
            done := 'closed';
            return;
        end loop;

        for day_table, _day in
            select c.relname, to_date(right(c.relname, 8), 'YYYYMMDD')
            from pg_inherits i join pg_class c on c.oid = i.inhrelid
            where i.inhparent = ('past_' || _parent)::regclass
        loop
            continue when _day + 1 + _keep::int > _today;
            execute format('drop table %I', day_table);
            done := 'dropped';
            return;
        end loop;
    end loop;
    day_table := null;
end
$$;

-- A generic plan leads an id to its day when it runs. It costs more on paper than a plan for one id, because the planner
-- counts every day; so it would plan anew for each statement, which took an answer from 0.04 ms to 0.12 ms.
-- Functions of later migrations that look for ids say the same of themselves; a test looks.
do $$
declare
    _function regprocedure;
begin
    for _function in
        select p.oid::regprocedure from pg_proc p join pg_language l on l.oid = p.prolang
        where p.pronamespace = current_schema()::regnamespace and l.lanname = 'plpgsql'
            and 'enable_seqscan=off' = any (p.proconfig)
    loop
        execute format('alter function %s set plan_cache_mode = force_generic_plan', _function);
    end loop;
end
$$;
