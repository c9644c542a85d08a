-- Why: administrators search users by a part of their name.
-- Locks: SHARE on users while the index is built. Expected duration: milliseconds, the table is new.

create extension if not exists pg_trgm;

-- Partial, so that a sign-up, which has no name yet, does not touch it.
create index users_by_name_fragment on users using gin (display_name gin_trgm_ops) where display_name is not null;
