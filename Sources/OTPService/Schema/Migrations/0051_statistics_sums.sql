-- Why: the console asks for 90 days of numbers at a time and shows them by day, the last two by hour, with the fifty busiest blocks.
--      Added up from slices that took 80 ms at a million users and grew with the countries and blocks; from sums it is some
--      hundred rows however many are behind them.
-- Lock: SHARE ROW EXCLUSIVE on statistics and statistics_prefixes, which one background task writes. Duration: a second for a
--      year of numbers.
--
-- Triggers keep the sums, for each statement and with it: so they are right whoever writes the slices, the service of the version
-- before too. A sum is added to and taken from, never counted anew: a slice that is counted again takes its old numbers away
-- first. Summing slices up into hours changes no day.

lock table statistics, statistics_prefixes in share row exclusive mode;

create table statistics_sums (
    -- 'day' or 'hour'; hours are kept as long as their slices.
    unit text collate "C" not null,
    since timestamptz not null,
    -- As in statistics.
    country text collate "C" not null,
    channel channel not null,
    sent bigint not null, submitted bigint not null, delivered bigint not null, failed bigint not null, verified bigint not null,
    t0 bigint not null, t1 bigint not null, t2 bigint not null, t3 bigint not null, t4 bigint not null,
    t5 bigint not null, t6 bigint not null, t7 bigint not null, t8 bigint not null, t9 bigint not null,
    t10 bigint not null, t11 bigint not null, t12 bigint not null, t13 bigint not null, t14 bigint not null,
    t15 bigint not null, t16 bigint not null, t17 bigint not null, t18 bigint not null, t19 bigint not null,
    constraint statistics_sums_pkey primary key (unit, since, country, channel)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

-- Blocks by day.
create table statistics_blocks (
    day timestamptz not null,
    -- As in statistics_prefixes.
    prefix text collate "C" not null,
    country text collate "C" not null,
    sent bigint not null,
    delivered bigint not null,
    failed bigint not null,
    verified bigint not null,
    constraint statistics_blocks_pkey primary key (day, prefix)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
-- The busiest of a day, without a look at the others.
create index statistics_blocks_busiest on statistics_blocks (day, sent desc, prefix);

create function add_statistics() returns trigger language plpgsql as $$
begin
    insert into statistics_sums (unit, since, country, channel,
        sent, submitted, delivered, failed, verified, t0, t1, t2, t3, t4, t5, t6, t7,
        t8, t9, t10, t11, t12, t13, t14, t15, t16, t17, t18, t19)
    select x.unit, x.begins, x.country, x.channel,
            sum(x.sent), sum(x.submitted), sum(x.delivered), sum(x.failed), sum(x.verified), sum(x.t0),
            sum(x.t1), sum(x.t2), sum(x.t3), sum(x.t4), sum(x.t5), sum(x.t6),
            sum(x.t7), sum(x.t8), sum(x.t9), sum(x.t10), sum(x.t11), sum(x.t12),
            sum(x.t13), sum(x.t14), sum(x.t15), sum(x.t16), sum(x.t17), sum(x.t18),
            sum(x.t19)
    from (
            select 'day'::text as unit, date_trunc('day', since, 'UTC') as begins, * from added
            union all
            select 'hour', date_trunc('hour', since, 'UTC'), * from added where since >= now() - interval '5 days'
    ) x
    group by 1, 2, 3, 4
    on conflict (unit, since, country, channel) do update set
        sent = statistics_sums.sent + excluded.sent, submitted = statistics_sums.submitted + excluded.submitted, delivered = statistics_sums.delivered + excluded.delivered,
        failed = statistics_sums.failed + excluded.failed, verified = statistics_sums.verified + excluded.verified, t0 = statistics_sums.t0 + excluded.t0,
        t1 = statistics_sums.t1 + excluded.t1, t2 = statistics_sums.t2 + excluded.t2, t3 = statistics_sums.t3 + excluded.t3,
        t4 = statistics_sums.t4 + excluded.t4, t5 = statistics_sums.t5 + excluded.t5, t6 = statistics_sums.t6 + excluded.t6,
        t7 = statistics_sums.t7 + excluded.t7, t8 = statistics_sums.t8 + excluded.t8, t9 = statistics_sums.t9 + excluded.t9,
        t10 = statistics_sums.t10 + excluded.t10, t11 = statistics_sums.t11 + excluded.t11, t12 = statistics_sums.t12 + excluded.t12,
        t13 = statistics_sums.t13 + excluded.t13, t14 = statistics_sums.t14 + excluded.t14, t15 = statistics_sums.t15 + excluded.t15,
        t16 = statistics_sums.t16 + excluded.t16, t17 = statistics_sums.t17 + excluded.t17, t18 = statistics_sums.t18 + excluded.t18,
        t19 = statistics_sums.t19 + excluded.t19;
    return null;
end
$$;

create function take_statistics() returns trigger language plpgsql as $$
begin
    update statistics_sums s set
            sent = s.sent - x.sent, submitted = s.submitted - x.submitted, delivered = s.delivered - x.delivered, failed = s.failed - x.failed,
            verified = s.verified - x.verified, t0 = s.t0 - x.t0, t1 = s.t1 - x.t1, t2 = s.t2 - x.t2,
            t3 = s.t3 - x.t3, t4 = s.t4 - x.t4, t5 = s.t5 - x.t5, t6 = s.t6 - x.t6,
            t7 = s.t7 - x.t7, t8 = s.t8 - x.t8, t9 = s.t9 - x.t9, t10 = s.t10 - x.t10,
            t11 = s.t11 - x.t11, t12 = s.t12 - x.t12, t13 = s.t13 - x.t13, t14 = s.t14 - x.t14,
            t15 = s.t15 - x.t15, t16 = s.t16 - x.t16, t17 = s.t17 - x.t17, t18 = s.t18 - x.t18,
            t19 = s.t19 - x.t19
    from (
        select x.unit, x.begins, x.country, x.channel,
            sum(x.sent) as sent, sum(x.submitted) as submitted, sum(x.delivered) as delivered, sum(x.failed) as failed, sum(x.verified) as verified, sum(x.t0) as t0,
            sum(x.t1) as t1, sum(x.t2) as t2, sum(x.t3) as t3, sum(x.t4) as t4, sum(x.t5) as t5, sum(x.t6) as t6,
            sum(x.t7) as t7, sum(x.t8) as t8, sum(x.t9) as t9, sum(x.t10) as t10, sum(x.t11) as t11, sum(x.t12) as t12,
            sum(x.t13) as t13, sum(x.t14) as t14, sum(x.t15) as t15, sum(x.t16) as t16, sum(x.t17) as t17, sum(x.t18) as t18,
            sum(x.t19) as t19
        from (
            select 'day'::text as unit, date_trunc('day', since, 'UTC') as begins, * from taken
            union all
            select 'hour', date_trunc('hour', since, 'UTC'), * from taken
        ) x
        group by 1, 2, 3, 4
    ) x
    where s.unit = x.unit and s.since = x.begins and s.country = x.country and s.channel = x.channel;
    delete from statistics_sums s using (
        select distinct date_trunc('day', since, 'UTC') as day from taken
    ) d
    where s.since >= d.day and s.since < d.day + interval '24 hours' and s.sent = 0;
    return null;
end
$$;

create function add_blocks() returns trigger language plpgsql as $$
begin
    insert into statistics_blocks (day, prefix, country, sent, delivered, failed, verified)
    select date_trunc('day', since, 'UTC'), prefix, min(country), sum(sent), sum(delivered), sum(failed), sum(verified)
    from added group by 1, 2
    on conflict (day, prefix) do update set
        sent = statistics_blocks.sent + excluded.sent, delivered = statistics_blocks.delivered + excluded.delivered,
        failed = statistics_blocks.failed + excluded.failed, verified = statistics_blocks.verified + excluded.verified;
    return null;
end
$$;

create function take_blocks() returns trigger language plpgsql as $$
begin
    with changed as (
        select date_trunc('day', since, 'UTC') as day, prefix, sum(sent) as sent, sum(delivered) as delivered,
            sum(failed) as failed, sum(verified) as verified
        from taken group by 1, 2
    ), gone as (
        delete from statistics_blocks b using changed c where b.day = c.day and b.prefix = c.prefix and b.sent <= c.sent
    )
    update statistics_blocks b set
        sent = b.sent - c.sent, delivered = b.delivered - c.delivered, failed = b.failed - c.failed,
        verified = b.verified - c.verified
    from changed c where b.day = c.day and b.prefix = c.prefix and b.sent > c.sent;
    return null;
end
$$;

create trigger statistics_add after insert on statistics
    referencing new table as added for each statement execute function add_statistics();
create trigger statistics_take after delete on statistics
    referencing old table as taken for each statement execute function take_statistics();
create trigger statistics_prefixes_add after insert on statistics_prefixes
    referencing new table as added for each statement execute function add_blocks();
create trigger statistics_prefixes_take after delete on statistics_prefixes
    referencing old table as taken for each statement execute function take_blocks();

-- What there is, as if it came now.
create temporary table known on commit drop as table statistics;
delete from statistics;
insert into statistics table known;
create temporary table known_prefixes on commit drop as table statistics_prefixes;
delete from statistics_prefixes;
insert into statistics_prefixes table known_prefixes;
