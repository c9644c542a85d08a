-- Why: at ten million users a search by a name, sorted by sign-in, looked up each user that it walked past in another table. The
--   name now stands in the index that is walked, so that the walk reads nothing else.
-- Locks: SHARE ROW EXCLUSIVE on users and sessions, ACCESS EXCLUSIVE on user_activity until the end, so that sign-ins and
--   refreshes wait. Expected duration: four seconds for a million users. The table is made anew: to fill a column of it would take
--   three times as long and leave it twice as large.

lock table users, sessions in share row exclusive mode;
lock table user_activity in access exclusive mode;

create table new_user_activity (
    user_id uuid not null,
    -- As in users.
    status text not null,
    -- As in users; the epoch if the user never signed in.
    last_sign_in_at timestamptz not null,
    -- The last day (UTC) of a sign-in or refresh, and what that was before it was last changed.
    active_on date,
    active_before date,
    -- As in users.
    display_name text
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);

insert into new_user_activity (user_id, status, last_sign_in_at, active_on, active_before, display_name)
select a.user_id, a.status, a.last_sign_in_at, a.active_on, a.active_before, u.display_name
from user_activity a join users u on u.id = a.user_id;

drop table user_activity;
alter table new_user_activity rename to user_activity;
alter table user_activity add constraint user_activity_pkey primary key (user_id);
create index user_activity_by_sign_in on user_activity (status, last_sign_in_at, user_id) include (display_name);
-- Not to wait for autovacuum: without statistics of a status, a page in the order of sign-in would be sorted out of all users.
analyze user_activity;

comment on table user_activity is 'The latest of each user: for the order of the directory, and to count each user once a day.';

create or replace function count_added_users() returns trigger language plpgsql as $$
declare
    counted record;
begin
    insert into user_activity (user_id, status, last_sign_in_at, display_name)
    select id, status, coalesce(last_sign_in_at, 'epoch'), display_name from added;
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

create function note_changed_name() returns trigger language plpgsql set enable_seqscan = off as $$
begin
    update user_activity set display_name = new.display_name where user_id = new.id;
    return null;
end
$$;

create trigger users_note_changed_name after update of display_name on users for each row
    when (old.display_name is distinct from new.display_name) execute function note_changed_name();

-- Of two versions before.
drop function directory_page(text, text, text, text, text, boolean, boolean, timestamptz, uuid, int);

-- A page of the directory, as directory_listing gave it (the version before goes on with that one): rows of users in their order,
-- then one row without id: how many match, whether that is exact, and the key after which the next page begins, if there is one.
--
-- kind says what is searched by: 'phone' (from low to below high), 'id' (from low to high), 'name' (the ILIKE pattern, which has
-- letters enough for the index of fragments), 'text' (a pattern without), or null. Without of_status those that are not
-- deleted.
--
-- Ways, each with its bound:
-- - No search: the index of the order is walked for one page. The total comes from the counters.
-- - Sorting: what an index finds, 10,000 at most, is sorted. The total is exact.
-- - Walking: 100,000 users at most (50,000 names, 25,000 phones by sign-in) are walked in the order and compared. A page may then be
--   short, and the next one goes on from there; what is rare among ten million is found by a longer search text. The total is exact if
--   that was all users, else a lower bound.
-- A name takes the way that promises to be shorter by what a sample says: a walk ends when the page is full, so it costs the less the
-- more users have the name, and nothing more for there being more users. The index of fragments costs by its lists, which grow with the
-- users, and by what it finds. What a walk leaves of the page is sorted after all.
--
-- The statements are put together here so that each is planned for its own values; values are bound. Scans and joins that read
-- the whole table are off: the table may have been small when a plan was made. What an index found is read ahead from the disk.
create function list_directory(
    kind text, low text, high text, pattern text, of_status text, by_sign_in boolean, descending boolean,
    after_key timestamptz, after_id uuid, page_size int)
returns table (
    id uuid, phone text, status text, display_name text, locale text, email text, created_at timestamptz,
    last_sign_in_at timestamptz, sort_key timestamptz, total bigint, total_is_exact boolean, next_key timestamptz, next_id uuid)
language plpgsql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set max_parallel_workers_per_gather = 0 set jit = off
set effective_io_concurrency = 64
as $$
declare
    sorted_at_most constant int := 10000;
    -- By sign-in names are in the walked index; for a phone each user is a look-up in another table.
    walked_at_most constant int := case when not by_sign_in then 100000 when kind = 'phone' then 25000 else 50000 end;
    sampled constant int := 5000;
    -- In the texts: $1 low, $2 high, $3 pattern, $4 status, $5 and $6 the key to go on from, $7 how many rows.
    matches constant text := case kind
        when 'phone' then 'u.phone >= $1 and u.phone < $2 and u.status <> ''deleted'''
        when 'id' then 'u.id between $1::uuid and $2::uuid'
        when 'name' then 'u.display_name is not null and u.display_name ilike $3'
        when 'text' then 'u.display_name ilike $3'
        else 'true' end;
    standing constant text := case when of_status is null then 'u.status <> ''deleted''' else 'u.status = $4' end;
    later constant text := case when descending then '(%1$s, %2$s) < ($5, $6)' else '(%1$s, %2$s) > ($5, $6)' end;
    in_order constant text := case when descending then 'order by %1$s desc, %2$s desc' else 'order by %1$s, %2$s' end;
    by_key constant text := format(in_order, 'u.key', 'u.id');
    key constant text := case when by_sign_in then 'a.last_sign_in_at' else 'u.created_at' end;
    key_id constant text := case when by_sign_in then 'a.user_id' else 'u.id' end;
    -- The walk over the users of a status, from the key on, and from the beginning.
    branch constant text := format('(select %s = %%L and %%s %s limit %s)',
        case when not by_sign_in then 'u.id, u.phone, u.status, u.display_name, u.created_at as key from users u where u.status'
            when kind = 'phone' then 'u.id, u.phone, u.status, u.display_name, a.last_sign_in_at as key
                from user_activity a join users u on u.id = a.user_id where a.status'
            else 'a.user_id as id, a.status, a.display_name, a.last_sign_in_at as key from user_activity a where a.status' end,
        format(in_order, key, key_id), walked_at_most);
    -- For users that are not deleted two walks, merged: each has its own limit, or the planner would sort instead.
    statuses constant text[] := case when of_status is null then array['active', 'suspended'] else array[of_status] end;
    walk constant text := (
        select string_agg(format(branch, s, case when after_key is null then 'true' else format(later, key, key_id) end), ' union all ')
        from unnest(statuses) s);
    whole_walk constant text := (select string_agg(format(branch, s, 'true'), ' union all ') from unnest(statuses) s);
    -- What is found, and how much. Phones and ids are counted in their index alone first; to count names is to read them.
    matching constant text := format(case kind when 'name'
        then 'matching as materialized (select u.id, u.created_at from users u where %1$s and %2$s limit %3$s + 1),
              counted as materialized (select count(*) as n from matching)'
        else 'counted as materialized (select count(*) as n from (select from users u where %1$s and %2$s limit %3$s + 1) u),
              matching as (select u.id, u.created_at from users u where %1$s and %2$s and (select n from counted) <= %3$s)' end,
        matches, standing, sorted_at_most);
    all_users bigint;
    in_sample bigint;
    expected bigint;
    steps text[] := case kind when 'text' then array['walk'] else array['sort', 'walk'] end;
    step text;
    found bigint;
    row_count int := 0;
    r record;
begin
    select coalesce(sum(case of_status when 'active' then c.active when 'suspended' then c.suspended
            when 'deleted' then c.deleted else c.active + c.suspended end), 0)
    into all_users from user_counts c;

    if kind is null then
        steps := array['walk'];
        total := all_users;
        total_is_exact := true;
    elsif kind = 'name' and all_users > 200000 then
        execute format(
            'select count(*) from (
                 select u.display_name from users u where u.status = %L order by u.created_at desc, u.id desc limit %s) u
             where %s', coalesce(of_status, 'active'), sampled, matches)
        into in_sample using low, high, pattern;
        expected := all_users * in_sample / sampled;
        if expected > sorted_at_most / (case when by_sign_in then 2 else 1 end) then
            steps := array['walk'];
        -- In microseconds, about. A walk: each user, and the total. Sorting: the lists, a part of all users; each user found.
        elsif in_sample > 0 and (page_size + 1) * sampled / in_sample <= walked_at_most
            and 7000 + (page_size + 1) * sampled / in_sample * (case when by_sign_in then 0.5 else 0.4 end)
                < all_users * 0.007 + expected * 1.5
        then
            steps := array['walk', 'sort'];
        end if;
    end if;

    foreach step in array steps loop
        exit when row_count > page_size or found <= sorted_at_most;
        -- Where sorting found too many, that many there are at least.
        if step = 'walk' and kind is not null and found is null then
            execute format('select count(*) from (select from (select * from (%s) u %s limit %s) u where %s limit %s) counted',
                whole_walk, by_key, case when all_users <= walked_at_most then walked_at_most else walked_at_most / 5 end, matches,
                sorted_at_most + 1)
            into total using low, high, pattern, of_status, after_key, after_id;
            total_is_exact := all_users <= walked_at_most and total <= sorted_at_most;
            total := least(total, sorted_at_most);
        end if;
        for r in execute
            case step when 'walk'
                then format(
                    'with page as (select u.id, u.key from (select * from (%s) u %s limit %s) u where %s %s limit $7)
                     select u.*, p.key, null::bigint as n from page p join users u on u.id = p.id %s',
                    walk, by_key, walked_at_most, matches, by_key, format(in_order, 'p.key', 'p.id'))
                else format(
                    'with %s, page as (select u.id, %s as key from matching u%s where (select n from counted) <= %s and %s %s limit $7)
                     select u.*, p.key, c.n from counted c left join page p on true left join users u on u.id = p.id %s',
                    matching, key,
                    case when by_sign_in then ' join user_activity a on a.user_id = u.id' else '' end,
                    sorted_at_most, format('($5 is null or ' || later || ')', key, 'u.id'), format(in_order, key, 'u.id'), format(in_order, 'p.key', 'p.id'))
            end
            -- Sorting goes on where a walk came to no more.
            using low, high, pattern, of_status, coalesce(sort_key, after_key), coalesce(id, after_id), page_size + 1 - row_count
        loop
            found := coalesce(r.n, found);
            exit when r.id is null;
            row_count := row_count + 1;
            exit when row_count > page_size;
            id := r.id; phone := r.phone; status := r.status; display_name := r.display_name; locale := r.locale;
            email := r.email; created_at := r.created_at; last_sign_in_at := r.last_sign_in_at; sort_key := r.key;
            return next;
        end loop;
    end loop;

    if found <= sorted_at_most then
        total := found;
        total_is_exact := true;
    elsif found > sorted_at_most then
        total := sorted_at_most;
        total_is_exact := false;
    end if;
    if row_count > page_size then
        next_key := sort_key;
        next_id := id;
    elsif kind is not null and not coalesce(found <= sorted_at_most, false) then
        -- Where the walk stopped, unless it came to the end.
        execute format('select u.key, u.id from (%s) u %s offset %s limit 1', walk, by_key, walked_at_most - 1)
        into next_key, next_id using low, high, pattern, of_status, after_key, after_id;
    end if;
    id := null;
    total := greatest(total, least(row_count, page_size));
    return next;
end
$$;
