-- Why: operators suspend users, lift that, and sign users out; an action whose answer was lost may be asked for again
--   without being done again.
-- Locks: none that matter, all objects are new. Expected duration: milliseconds.

-- What was done under which key: the idempotency of actions. Rows older than a day are deleted.
create table user_actions (
    -- The Idempotency-Key of the request; admin-service sends the id of its audit row.
    key text primary key,
    user_id uuid not null,
    action text not null,
    done_at timestamptz not null default now(),
    constraint user_actions_key_form check (key ~ '^[!-~]{1,64}$'),
    constraint user_actions_action_known check (action in ('suspend', 'reactivate', 'sign-out'))
);

comment on table user_actions is 'The keys of the last day''s actions on users, so that none is done twice.';

create index user_actions_by_time on user_actions (done_at);

-- Suspends, reactivates or signs out a user, or finds that this key did so before. One row: the outcome, and how many
-- sessions ended.
--
-- The user's row is locked first, as a sign-in does: one that had the lock has begun a session that is ended here; one that
-- waits for it finds a user that is suspended. A refresh under way is waited for by end_sessions_of_user. After a
-- reactivation the sessions stay ended, and the mark keeps every token from before it dead.
create function act_on_user(of_user uuid, wanted text, action_key text)
returns table (outcome text, sessions_ended int)
language plpgsql set enable_seqscan = off as $$
declare
    standing text;
    earlier user_actions;
begin
    sessions_ended := 0;
    select status into standing from users where id = of_user for no key update;
    if standing is null or standing = 'deleted' then
        outcome := case when standing is null then 'unknown' else 'deleted' end;
        return next;
        return;
    end if;

    if action_key is not null then
        insert into user_actions (key, user_id, action) values (action_key, of_user, wanted) on conflict (key) do nothing;
        if not found then
            select * into earlier from user_actions where key = action_key;
            outcome := case when earlier.user_id = of_user and earlier.action = wanted then 'done' else 'key_reused' end;
            return next;
            return;
        end if;
    end if;

    outcome := 'done';
    if wanted = 'suspend' and standing = 'active' then
        sessions_ended := end_sessions_of_user(of_user, 'suspended');
        update users set status = 'suspended', updated_at = now() where id = of_user;
    elsif wanted = 'reactivate' and standing = 'suspended' then
        update users set status = 'active', updated_at = now() where id = of_user;
    elsif wanted = 'sign-out' then
        sessions_ended := end_sessions_of_user(of_user, 'signed_out');
    else
        return next;
        return;
    end if;
    insert into changes (kind, user_id) values ('user-changed', of_user);
    return next;
end
$$;
