-- Why: the console's numbers for a year, whose reading must not depend on how many rows there are, and whose making must
--      cost no send a shared counter.
-- Lock: none, the tables are new. Duration: instant. What there is already is counted in the background afterwards.
--
-- A slice is five minutes of challenges, by the time in their ids. What the table says of a slice is a function of the
-- rows of the slice and nothing else: it is counted when nothing in it should change any more, and counted again when
-- something did, or a row came late. So nothing can be counted twice or be lost, whoever crashes when. The slices that are not
-- counted yet are read from the rows themselves, so that the answer is exact.

create table statistics (
    -- Where the slice begins; of days that are long over, the hour that its slices were summed into.
    since timestamptz not null,
    -- Two letters; empty where the number belongs to no country.
    country text collate "C" not null,
    channel channel not null,
    sent bigint not null,
    submitted bigint not null,
    delivered bigint not null,
    failed bigint not null,
    -- Challenges that were verified, counted with their newest message.
    verified bigint not null,
    -- Of those, how many took how long: tn has those of 2^(n/2) to 2^((n+1)/2) seconds. Columns, because arrays would be
    -- added up fifty times as slowly.
    t0 bigint not null, t1 bigint not null, t2 bigint not null, t3 bigint not null, t4 bigint not null,
    t5 bigint not null, t6 bigint not null, t7 bigint not null, t8 bigint not null, t9 bigint not null,
    t10 bigint not null, t11 bigint not null, t12 bigint not null, t13 bigint not null, t14 bigint not null,
    t15 bigint not null, t16 bigint not null, t17 bigint not null, t18 bigint not null, t19 bigint not null,
    constraint statistics_pkey primary key (since, country, channel)
) with (autovacuum_vacuum_scale_factor = 0.05);

-- Why messages failed, in the service's own words.
create table statistics_failures (
    since timestamptz not null,
    reason text collate "C" not null,
    failed bigint not null,
    constraint statistics_failures_pkey primary key (since, reason)
) with (autovacuum_vacuum_scale_factor = 0.05);

-- Blocks of numbers, by their first seven digits: of each slice the two hundred busiest; later summed by day.
create table statistics_prefixes (
    since timestamptz not null,
    prefix text collate "C" not null,
    country text collate "C" not null,
    sent bigint not null,
    delivered bigint not null,
    failed bigint not null,
    verified bigint not null,
    constraint statistics_prefixes_pkey primary key (since, prefix)
) with (autovacuum_vacuum_scale_factor = 0.05);

-- Slices before this have been counted; one row.
create table statistics_progress (
    single boolean not null default true,
    counted_to timestamptz not null,
    -- Days before this have been summed into hours.
    folded_to timestamptz not null default '-infinity',
    constraint statistics_progress_pkey primary key (single),
    constraint statistics_progress_one check (single)
);

-- Slices that have to be counted again, each as often as somebody said so. Only ever inserted and deleted: who marks waits for
-- nobody, and a mark that is not visible yet when others are taken stays for the next time.
create table statistics_marks (
    id bigint generated always as identity,
    since timestamptz not null,
    constraint statistics_marks_pkey primary key (id)
);

-- The beginning of the slice of a moment.
create function slice_of(_at timestamptz) returns timestamptz
    language sql immutable strict parallel safe
    return to_timestamp(floor(extract(epoch from _at) / 300) * 300);

insert into statistics_progress (counted_to) values (slice_of(now()));
insert into statistics_marks (since)
select generate_series(
    greatest(slice_of(id_time(first.id)), slice_of(now()) - interval '400 days'), slice_of(now()) - interval '5 minutes',
    interval '5 minutes')
from (select id from challenges order by id limit 1) as first;

-- The messages of a span, in groups, with one phone of each. One group has one outcome; reason is the first word of what
-- was noted.
-- A plan for just these ids looks at just their days.
create function count_messages(_from timestamptz, _until timestamptz)
    returns table (
        prefix text, sample text, channel text, state text, taken boolean, reason text,
        bucket bigint,      -- n of the columns tn; null where the challenge was not verified with this message
        messages bigint
    )
    language plpgsql stable
    set enable_seqscan = off
    set plan_cache_mode = force_custom_plan
    rows 1000
as $$
#variable_conflict use_column
declare
    _first uuid := first_id(_from);
    _last uuid := first_id(_until);
begin
    return query
    select left(c.phone, 8), min(c.phone::text), m.channel::text, m.state::text, m.submitted_at is not null,
        case when m.state = 'failed' then split_part(coalesce(m.reason, ''), ' ', 1) end,
        case when c.verified_at is not null and m.number = c.resends then
            least(floor(2 * ln(greatest(extract(epoch from c.verified_at - c.created_at)::float8, 1)) / ln(2::float8)), 19)::bigint
        end,
        count(*)
    from all_messages m join all_challenges c on c.id = m.challenge_id
    where m.challenge_id >= _first and m.challenge_id < _last and c.id >= _first and c.id < _last
    group by 1, 3, 4, 5, 6, 7;
end
$$;

-- Sums the slices of one day, the oldest that was not, into hours and its prefixes into the day, once three days have passed since
-- and all its slices are counted. Forgets hours after _keep_hours days and prefixes after _keep_prefixes. True if
-- there was a day.
create function fold_statistics(_as_of timestamptz, _keep_hours bigint, _keep_prefixes bigint) returns boolean
    language plpgsql as $$
declare
    _now timestamptz := coalesce(_as_of, now());
    _today timestamptz := date_trunc('day', _now, 'UTC');
    _from timestamptz;
    _until timestamptz;
begin
    select date_trunc('day', min(s.since), 'UTC') into _from
    from statistics s, statistics_progress p where s.since >= p.folded_to;
    _until := _from + interval '24 h';
    if _from is null or _until > _today - interval '72 h'
        or exists (select from statistics_marks m where m.since >= _from and m.since < _until) then
        return false;
    end if;
    delete from statistics where since < _today - _keep_hours * interval '24 h';
    delete from statistics_failures where since < _today - _keep_hours * interval '24 h';
    delete from statistics_prefixes where since < _today - _keep_prefixes * interval '24 h';
    with old as (delete from statistics where since >= _from and since < _until returning *)
    insert into statistics
    select date_trunc('hour', since, 'UTC'), country, channel, sum(sent), sum(submitted), sum(delivered), sum(failed),
        sum(verified),
        sum(t0), sum(t1), sum(t2), sum(t3), sum(t4),
        sum(t5), sum(t6), sum(t7), sum(t8), sum(t9),
        sum(t10), sum(t11), sum(t12), sum(t13), sum(t14),
        sum(t15), sum(t16), sum(t17), sum(t18), sum(t19)
    from old group by 1, 2, 3;
    with old as (delete from statistics_failures where since >= _from and since < _until returning *)
    insert into statistics_failures
    select date_trunc('hour', since, 'UTC'), reason, sum(failed) from old group by 1, 2;
    with old as (delete from statistics_prefixes where since >= _from and since < _until returning *)
    insert into statistics_prefixes
    select _from, prefix, min(country), sum(sent), sum(delivered), sum(failed), sum(verified)
    from old group by prefix order by sum(sent) desc limit 1000;
    update statistics_progress set folded_to = _until;
    return true;
end
$$;
