-- Why: a connection keeps the plan of its first statements. Made while the tables were empty and counted as such, that plan found
--      a session by walking the index of all live ones, and its user by walking that of all active ones: with ever more of them
--      the check of a token became slower until an ANALYZE. Written so, each is looked up by its key whatever the statistics say.
-- Lock: none on tables. Duration: at once. What the function answers stays the same, for the version before too.
create or replace function live_user(session_id uuid, issued_at timestamptz, token_hash bytea, token_expires_at timestamptz)
returns setof users
language sql stable as $$
    select u.*
    from sessions s join users u on u.id = s.user_id
    -- "is true": not to be had by an index of what has not ended or is active.
    where s.id = live_user.session_id and (s.ended_at is null) is true and s.absolute_expires_at > now()
      and (u.status = 'active') is true
      and (u.sign_in_not_before is null or u.sign_in_not_before < live_user.issued_at)
      and not exists (
          select from blacklisted_tokens b
          where b.token_hash = live_user.token_hash and b.expires_at = live_user.token_expires_at)
$$;
