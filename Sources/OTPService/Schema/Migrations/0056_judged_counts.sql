-- Why: an operator who is to allow or block a destination saw no number of it: what a breaker had tripped by was forgotten in the
--   moment that it tripped.
-- Lock: ACCESS EXCLUSIVE on destinations for an instant: a column with a constant default rewrites nothing. Duration: instant.

-- What the breaker was last opened by; shown while it is not closed.
alter table destinations
    add column judged_sends bigint not null default 0,
    add column judged_verified bigint not null default 0;
