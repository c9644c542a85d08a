-- Why: at ten million users a search by a name that a thousandth of them have went through the index of fragments, whose lists are as
--   long as there are users, and did so twice; and any search that sorts what it found read all of it twice.
-- Locks: none on tables. Expected duration: milliseconds.

-- A page of the directory, as directory_page gave it (the version before goes on with that one): rows of users in their order, then
-- one row without id: how many match, whether that is exact, and the key after which the next page begins, if there is one.
--
-- kind says what is searched by: 'phone' (from low to below high), 'id' (from low to high), 'name' (the ILIKE pattern, which has
-- letters enough for the index of fragments), 'text' (a pattern without), or null. Without of_status those that are not
-- deleted.
--
-- Ways, each with its bound:
-- - No search: the index of the order is walked for one page. The total comes from the counters.
-- - Sorting: what an index finds, 10,000 at most, is sorted. The total is exact.
-- - Walking: 100,000 users at most (25,000 by sign-in) are walked in the order and compared. A page may then be short,
--   and the next one goes on from there; what is rare among ten million is found by a longer search text. The total is exact if
--   that was all users, else a lower bound.
-- A name takes the way that promises to be shorter by what a sample says: a walk ends when the page is full, so it costs the less the
-- more users have the name, and nothing more for there being more users. The index of fragments costs by its lists, which grow with the
-- users, and by what it finds. What a walk leaves of the page is sorted after all.
--
-- The statements are put together here so that each is planned for its own values; values are bound. Scans and joins that read
-- the whole table are off: the table may have been small when a plan was made. What an index found is read ahead from the disk.
create function directory_listing(
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
    -- By sign-in each user is a look-up in another table.
    walked_at_most constant int := case when by_sign_in then 25000 else 100000 end;
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
    branch constant text := format('(select u.*, %s as key from %s = %%L and %%s %s limit %s)', key,
        case when by_sign_in then 'user_activity a join users u on u.id = a.user_id where a.status' else 'users u where u.status' end,
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
            and 7000 + (page_size + 1) * sampled / in_sample * (case when by_sign_in then 1.5 else 0.4 end)
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
                then format('select u.*, null::bigint as n from (select * from (%s) u %s limit %s) u where %s %s limit $7',
                    walk, by_key, walked_at_most, matches, by_key)
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
