-- Why: figures and totals must be exact and cost the same for ten thousand and ten million users, so that they are kept
--   while things happen and not counted when somebody asks; and the directory pages by last sign-in, a column that changes.
-- Locks: SHARE ROW EXCLUSIVE on users and sessions until the end, so that sign-ins and refreshes wait. Expected duration:
--   four seconds for a million users.

lock table users, sessions in share row exclusive mode;

-- What changes about a user at each sign-in and is asked for in order. A narrow table of its own: an index on a column of
-- users that changes would make every sign-in write to every index of users, the names' too.
create table user_activity (
    user_id uuid primary key,
    -- As in users.
    status text not null,
    -- As in users; the epoch if the user never signed in.
    last_sign_in_at timestamptz not null,
    -- The last day (UTC) of a sign-in or refresh, and what that was before it was last changed.
    active_on date,
    active_before date
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);

comment on table user_activity is 'The latest of each user: for the order of the directory, and to count each user once a day.';

insert into user_activity (user_id, status, last_sign_in_at, active_on, active_before)
select u.id, u.status, coalesce(u.last_sign_in_at, 'epoch'), s.day, s.day
from users u left join (
    select user_id, max((rotated_at at time zone 'UTC')::date) as day from sessions group by 1) s on s.user_id = u.id;

create index user_activity_by_sign_in on user_activity (status, last_sign_in_at, user_id);

-- What was counted, by day (UTC). A figure of a day is the sum over its shards: as many rows as there were at most
-- transactions at once that counted, because each takes one that no other holds and none ever waits.
create table user_counts (
    day date not null,
    shard int not null,
    -- Users made on that day.
    created bigint not null default 0,
    -- Sessions begun.
    sign_ins bigint not null default 0,
    -- Users who signed in or refreshed, each counted at the first time in the day, the week (from Monday) and the month: of a
    -- week the figure is the sum over its days.
    active_of_day bigint not null default 0,
    active_of_week bigint not null default 0,
    active_of_month bigint not null default 0,
    -- How many more (or fewer) users have each status than the day before: the figure is the sum over all days.
    active bigint not null default 0,
    suspended bigint not null default 0,
    deleted bigint not null default 0,
    primary key (day, shard)
-- Room on the page, so that updates stay there.
) with (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

comment on table user_counts is 'Maintained counters of users, by day; read by summing over shards.';

create sequence user_count_shards as int minvalue 1 cycle;

-- Sessions are kept for 31 days: of the time before, only the users are known.
insert into user_counts (day, shard, created, sign_ins, active_of_day, active_of_week, active_of_month, active, suspended,
    deleted)
with seen as (
    select distinct user_id, (created_at at time zone 'UTC')::date as day from sessions
    union
    select user_id, active_on from user_activity where active_on is not null
), firsts as (
    select day, lag(day) over (partition by user_id order by day) as before from seen
)
select day, 0, sum(created), sum(sign_ins), sum(of_day), sum(of_week), sum(of_month), sum(active), sum(suspended), sum(deleted)
from (
    select (created_at at time zone 'UTC')::date as day, count(*) as created, 0 as sign_ins, 0 as of_day, 0 as of_week,
        0 as of_month, count(*) filter (where status = 'active') as active,
        count(*) filter (where status = 'suspended') as suspended, count(*) filter (where status = 'deleted') as deleted
    from users group by 1
    union all
    select (created_at at time zone 'UTC')::date, 0, count(*), 0, 0, 0, 0, 0, 0 from sessions group by 1
    union all
    select day, 0, 0, count(*), count(*) filter (where before is null or date_trunc('week', before) < date_trunc('week', day)),
        count(*) filter (where before is null or date_trunc('month', before) < date_trunc('month', day)), 0, 0, 0
    from firsts group by 1
) history
group by day;

-- Adds to the figures of a day, in a row that nobody holds.
create function count_users(
    of_day date, created bigint default 0, sign_ins bigint default 0, active_of_day bigint default 0,
    active_of_week bigint default 0, active_of_month bigint default 0, active bigint default 0, suspended bigint default 0,
    deleted bigint default 0)
returns void language plpgsql as $$
begin
    update user_counts c set
        created = c.created + count_users.created,
        sign_ins = c.sign_ins + count_users.sign_ins,
        active_of_day = c.active_of_day + count_users.active_of_day,
        active_of_week = c.active_of_week + count_users.active_of_week,
        active_of_month = c.active_of_month + count_users.active_of_month,
        active = c.active + count_users.active,
        suspended = c.suspended + count_users.suspended,
        deleted = c.deleted + count_users.deleted
    where c.day = of_day and c.shard = (
        select f.shard from user_counts f where f.day = of_day order by f.shard limit 1 for no key update skip locked);
    if not found then
        insert into user_counts values (
            of_day, nextval('user_count_shards'), count_users.created, count_users.sign_ins, count_users.active_of_day,
            count_users.active_of_week, count_users.active_of_month, count_users.active, count_users.suspended,
            count_users.deleted);
    end if;
end
$$;

-- Triggers and not the statements themselves, so that the figures are right whoever writes. For rows that come, one trigger for
-- each statement: a million users that are loaded at once are counted at once.

create function count_added_users() returns trigger language plpgsql as $$
declare
    counted record;
begin
    insert into user_activity (user_id, status, last_sign_in_at)
    select id, status, coalesce(last_sign_in_at, 'epoch') from added;
    -- A sign-in of somebody known inserts nothing.
    if not found then return null; end if;
    for counted in
        select (created_at at time zone 'UTC')::date as day, count(*) as created,
            count(*) filter (where status = 'active') as active, count(*) filter (where status = 'suspended') as suspended,
            count(*) filter (where status = 'deleted') as deleted
        from added group by 1
    loop
        perform count_users(counted.day, created => counted.created, active => counted.active,
            suspended => counted.suspended, deleted => counted.deleted);
    end loop;
    return null;
end
$$;

create trigger users_count_added after insert on users
    referencing new table as added for each statement execute function count_added_users();

create function count_changed_user() returns trigger language plpgsql set enable_seqscan = off as $$
begin
    update user_activity set status = new.status, last_sign_in_at = coalesce(new.last_sign_in_at, 'epoch')
    where user_id = new.id;
    if old.status is distinct from new.status then
        perform count_users((now() at time zone 'UTC')::date,
            active => (new.status = 'active')::int - (old.status = 'active')::int,
            suspended => (new.status = 'suspended')::int - (old.status = 'suspended')::int,
            deleted => (new.status = 'deleted')::int - (old.status = 'deleted')::int);
    end if;
    return null;
end
$$;

create trigger users_count_changed after update of status, last_sign_in_at on users for each row
    when (old.status is distinct from new.status or old.last_sign_in_at is distinct from new.last_sign_in_at)
    execute function count_changed_user();

-- The service never deletes rows of users; a test or an operator may.
create function count_removed_users() returns trigger language plpgsql as $$
begin
    delete from user_activity where user_id in (select id from removed);
    perform count_users((now() at time zone 'UTC')::date,
        active => -count(*) filter (where status = 'active'), suspended => -count(*) filter (where status = 'suspended'),
        deleted => -count(*) filter (where status = 'deleted'))
    from removed having count(*) > 0;
    return null;
end
$$;

create trigger users_count_removed after delete on users
    referencing old table as removed for each statement execute function count_removed_users();

create function count_no_users() returns trigger language plpgsql as $$
begin
    truncate user_activity, user_counts;
    return null;
end
$$;

create trigger users_count_none after truncate on users for each statement execute function count_no_users();

-- Counts sessions that begin, and their users as active on that day if they were not yet.
create function count_added_sessions() returns trigger language plpgsql set enable_seqscan = off as $$
declare
    how_many bigint;
    who uuid;
    today date;
    before date;
    counted record;
begin
    select count(*), (array_agg(user_id))[1], max((created_at at time zone 'UTC')::date) into how_many, who, today from added;
    if how_many = 0 then return null; end if;
    -- A sign-in: the same as below, for one, which costs a fifth.
    if how_many = 1 then
        update user_activity set active_on = today, active_before = active_on
        where user_id = who and (active_on is null or active_on < today)
        returning active_before into before;
        perform count_users(today, sign_ins => 1, active_of_day => found::int,
            active_of_week => (found and (before is null or date_trunc('week', before) < date_trunc('week', today)))::int,
            active_of_month => (found and (before is null or date_trunc('month', before) < date_trunc('month', today)))::int);
        return null;
    end if;
    for counted in
        with latest as (
            select user_id, max((created_at at time zone 'UTC')::date) as day from added group by user_id
        ), seen as (
            update user_activity a set active_on = l.day, active_before = a.active_on
            from latest l where a.user_id = l.user_id and (a.active_on is null or a.active_on < l.day)
            returning a.active_on, a.active_before
        ), parts as (
            select (created_at at time zone 'UTC')::date as day, count(*) as sign_ins, 0 as of_day, 0 as of_week, 0 as of_month
            from added group by 1
            union all
            select active_on, 0, count(*),
                count(*) filter (where active_before is null or date_trunc('week', active_before) < date_trunc('week', active_on)),
                count(*) filter (where active_before is null or date_trunc('month', active_before) < date_trunc('month', active_on))
            from seen group by 1
        )
        select day, sum(sign_ins)::bigint as sign_ins, sum(of_day)::bigint as of_day, sum(of_week)::bigint as of_week,
            sum(of_month)::bigint as of_month
        from parts group by day
    loop
        perform count_users(counted.day, sign_ins => counted.sign_ins, active_of_day => counted.of_day,
            active_of_week => counted.of_week, active_of_month => counted.of_month);
    end loop;
    return null;
end
$$;

create trigger sessions_count_added after insert on sessions
    referencing new table as added for each statement execute function count_added_sessions();

-- The first refresh of a session on a day: its user is active on that day.
create function count_refreshing_user() returns trigger language plpgsql set enable_seqscan = off as $$
declare
    today date := (new.rotated_at at time zone 'UTC')::date;
    before date;
begin
    update user_activity set active_on = today, active_before = active_on
    where user_id = new.user_id and (active_on is null or active_on < today)
    returning active_before into before;
    if found then
        perform count_users(today, active_of_day => 1,
            active_of_week => (before is null or date_trunc('week', before) < date_trunc('week', today))::int,
            active_of_month => (before is null or date_trunc('month', before) < date_trunc('month', today))::int);
    end if;
    return null;
end
$$;

create trigger sessions_count_refresh after update of rotated_at on sessions for each row
    when ((old.rotated_at at time zone 'UTC')::date < (new.rotated_at at time zone 'UTC')::date)
    execute function count_refreshing_user();

-- Sums the shards of days that are over into one row each; returns how many rows that saved. A row that is held stays for the
-- next time.
create function compact_user_counts() returns int language plpgsql as $$
declare
    saved int;
begin
    with held as (
        select day, shard from user_counts
        where day in (
            select day from user_counts where day < (now() at time zone 'UTC')::date - 1 group by day having count(*) > 1
            order by day limit 100)
        for update skip locked
    ), gone as (
        delete from user_counts c using held h where c.day = h.day and c.shard = h.shard returning c.*
    ), sums as (
        insert into user_counts
        select day, nextval('user_count_shards'), sum(created), sum(sign_ins), sum(active_of_day), sum(active_of_week),
            sum(active_of_month), sum(active), sum(suspended), sum(deleted)
        from gone group by day
        returning day
    )
    select (select count(*) from gone) - (select count(*) from sums) into saved;
    return saved;
end
$$;
