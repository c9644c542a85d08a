-- live_user as migration 0044 has it, but for the blacklist: for figure 4 only.
create or replace function live_user(session_id uuid, issued_at timestamptz, token_hash bytea, token_expires_at timestamptz)
returns setof users
language sql stable as $$
    select u.*
    from sessions s join users u on u.id = s.user_id
    where s.id = live_user.session_id and (s.ended_at is null) is true and s.absolute_expires_at > now()
      and (u.status = 'active') is true
      and (u.sign_in_not_before is null or u.sign_in_not_before < live_user.issued_at)
$$;
