-- Why: pages of the directory in four orders, by any status and search, whose cost has a bound that does not grow with the
--   number of users.
-- Locks: SHARE on users while an index is built, then ACCESS EXCLUSIVE for the time of a catalogue change. Expected duration: two seconds for a million users.

-- By status first, so that a page of one status does not walk over the others.
create index users_by_status on users (status, created_at, id);
-- It was for the same pages. The service of the version before sorts instead while it still runs.
drop index users_by_creation;

-- A page of the directory. Rows of users in their order, then one row without id: how many match, whether that is exact, and
-- the key after which the next page begins, if there is one.
--
-- kind says what is searched by: 'phone' (from low to below high), 'id' (from low to high), 'name' (the ILIKE pattern, which has
-- letters enough for the index of fragments), 'text' (a pattern without), or null. Without of_status those that are not
-- deleted.
--
-- Three ways, each with its bound:
-- - No search: the index of the order is walked for one page. The total comes from the counters.
-- - A search with an index that finds at most 10,000: these are sorted. The total is exact.
-- - Any other search: 100,000 users at most (25,000 by sign-in) are walked in the order and compared. A page may then be short,
--   and the next one goes on from there; what is rare among ten million is found by a longer search text. The total is exact if
--   that was all users, else a lower bound.
--
-- The statements are put together here so that each is planned for its own values; values are bound. Scans and joins that read
-- the whole table are off: the table may have been small when a plan was made.
create function directory_page(
    kind text, low text, high text, pattern text, of_status text, by_sign_in boolean, descending boolean,
    after_key timestamptz, after_id uuid, page_size int)
returns table (
    id uuid, phone text, status text, display_name text, locale text, email text, created_at timestamptz,
    last_sign_in_at timestamptz, sort_key timestamptz, total bigint, total_is_exact boolean, next_key timestamptz, next_id uuid)
language plpgsql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set max_parallel_workers_per_gather = 0 set jit = off
as $$
declare
    sorted_at_most constant int := 10000;
    -- By sign-in each user is a look-up in another table.
    walked_at_most constant int := case when by_sign_in then 25000 else 100000 end;
    -- In the texts: $1 low, $2 high, $3 pattern, $4 status, $5 and $6 the key to go on from, $7 how many rows.
    matches constant text := case kind
        when 'phone' then 'u.phone >= $1 and u.phone < $2 and u.status <> ''deleted'''
        when 'id' then 'u.id between $1::uuid and $2::uuid'
        when 'name' then 'u.display_name is not null and u.display_name ilike $3'
        when 'text' then 'u.display_name ilike $3'
        else 'true' end;
    standing constant text := case when of_status is null then 'u.status <> ''deleted''' else 'u.status = $4' end;
    later constant text := case when after_key is null then 'true'
        when descending then '(%1$s, %2$s) < ($5, $6)' else '(%1$s, %2$s) > ($5, $6)' end;
    in_order constant text := case when descending then 'order by %1$s desc, %2$s desc' else 'order by %1$s, %2$s' end;
    by_key constant text := format(in_order, 'u.key', 'u.id');
    key constant text := case when by_sign_in then 'a.last_sign_in_at' else 'u.created_at' end;
    key_id constant text := case when by_sign_in then 'a.user_id' else 'u.id' end;
    -- The walk over the users of a status, from the key on, and from the beginning.
    branch constant text := format('(select u.*, %s as key from %s = %%L and %%s %s limit %s)', key,
        case when by_sign_in then 'user_activity a join users u on u.id = a.user_id where a.status' else 'users u where u.status' end,
        format(in_order, key, key_id), walked_at_most);
    -- For users that are not deleted two walks, merged: each has its own limit, or the planner would sort instead.
    statuses constant text[] := case when of_status is null then array['active', 'suspended'] else array[of_status] end;
    walk constant text := (
        select string_agg(format(branch, s, format(later, key, key_id)), ' union all ') from unnest(statuses) s);
    whole_walk constant text := (select string_agg(format(branch, s, 'true'), ' union all ') from unnest(statuses) s);
    all_users bigint;
    is_walk boolean := kind is null or kind = 'text';
    row_count int := 0;
    r record;
begin
    select coalesce(sum(case of_status when 'active' then c.active when 'suspended' then c.suspended
            when 'deleted' then c.deleted else c.active + c.suspended end), 0)
    into all_users from user_counts c;

    if kind = 'name' and all_users > 200000 then
        -- One in fifty of the newest: the index would find more than can be sorted, and take its time.
        execute format(
            'select count(*) >= 100 from (
                 select u.display_name from users u where u.status = %L order by u.created_at desc, u.id desc limit 5000) u
             where %s', coalesce(of_status, 'active'), matches)
        into is_walk using low, high, pattern, of_status, after_key, after_id;
    end if;
    if kind is null then
        total := all_users;
        total_is_exact := true;
    elsif is_walk then
        execute format('select count(*) from (select from (select * from (%s) u %s limit %s) u where %s limit %s) counted',
            whole_walk, by_key, case when all_users <= walked_at_most then walked_at_most else walked_at_most / 5 end, matches,
            sorted_at_most + 1)
        into total using low, high, pattern, of_status, after_key, after_id;
        total_is_exact := all_users <= walked_at_most and total <= sorted_at_most;
    else
        execute format('select count(*) from (select from users u where %s and %s limit %s) counted',
            matches, standing, sorted_at_most + 1)
        into total using low, high, pattern, of_status;
        total_is_exact := total <= sorted_at_most;
        is_walk := not total_is_exact;
    end if;
    if kind is not null then total := least(total, sorted_at_most); end if;

    for r in execute
        case when not is_walk
            then format(
                'with matching as materialized (select u.* from users u where %s and %s)
                 select u.* from (select m.*, %s as key from matching m%s) u where %s %s limit $7',
                matches, standing, case when by_sign_in then 'a.last_sign_in_at' else 'm.created_at' end,
                case when by_sign_in then ' join user_activity a on a.user_id = m.id' else '' end,
                format(later, 'u.key', 'u.id'), by_key)
            else format('select u.* from (select * from (%s) u %s limit %s) u where %s %s limit $7',
                walk, by_key, walked_at_most, matches, by_key)
        end
        using low, high, pattern, of_status, after_key, after_id, page_size + 1
    loop
        row_count := row_count + 1;
        exit when row_count > page_size;
        id := r.id; phone := r.phone; status := r.status; display_name := r.display_name; locale := r.locale;
        email := r.email; created_at := r.created_at; last_sign_in_at := r.last_sign_in_at; sort_key := r.key;
        return next;
    end loop;

    if row_count > page_size then
        next_key := sort_key;
        next_id := id;
    elsif kind is not null and is_walk then
        -- Where the walk stopped, unless it came to the end.
        execute format('select u.key, u.id from (%s) u %s offset %s limit 1', walk, by_key, walked_at_most - 1)
        into next_key, next_id using low, high, pattern, of_status, after_key, after_id;
    end if;
    id := null;
    total := greatest(total, least(row_count, page_size));
    return next;
end
$$;
