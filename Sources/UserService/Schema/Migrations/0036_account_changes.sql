-- Why: users change their phone, take their data with them, and leave; who has left is nobody any more.
-- Locks: SHARE on sessions while its index is built; ACCESS EXCLUSIVE on users for the time of a catalogue change, then SHARE
--   UPDATE EXCLUSIVE while its rows are checked. Expected duration: two seconds for a million sessions and as many users.

-- All sessions of a user, ended ones too: for the export, and to erase them. Neither column ever changes.
create index sessions_of_user_by_creation on sessions (user_id, created_at);

alter table users add constraint users_deleted_is_nobody check (
    status <> 'deleted' or (phone is null and display_name is null and locale is null and email is null)) not valid;
update users set phone = null, display_name = null, locale = null, email = null
where status = 'deleted' and (phone, display_name, locale, email) is distinct from (null, null, null, null);
alter table users validate constraint users_deleted_is_nobody;

-- The use of proofs of purpose change_phone: each changes one phone, once. Rows older than a day are deleted.
create table phone_changes (
    challenge_id uuid primary key,
    user_id uuid not null,
    changed_at timestamptz not null default now()
);

comment on table phone_changes is 'The proofs by which phones were changed in the last day, so that none is used twice.';

create index phone_changes_by_time on phone_changes (changed_at);

-- Gives the user of an access token the phone that a proof names, and ends the other sessions. Returns the outcome.
--
-- The user's row is locked first; then nothing that is judged can change. In the same minute the same proof gives the same answer.
-- Fresh is a session, not a token: a refresh proves nothing about the person (ASVS 5.0.0, 7.5.1).
create function change_phone(
    of_user uuid, of_session uuid, issued_at timestamptz, token_hash bytea, token_expires_at timestamptz, proof_id uuid,
    proof_ends_at timestamptz, new_phone text, fresh_for interval, repeat_for interval)
returns text
language plpgsql set enable_seqscan = off as $$
declare
    account users;
    began_at timestamptz;
    earlier phone_changes;
begin
    select * into account from users where id = of_user for no key update;
    select s.created_at into began_at
    from live_user(of_session, issued_at, token_hash, token_expires_at) u join sessions s on s.id = of_session
    where u.id = of_user;
    if not found then return 'revoked'; end if;

    select * into earlier from phone_changes where challenge_id = proof_id;
    if found then
        return case when earlier.user_id = of_user and account.phone = new_phone and earlier.changed_at > now() - repeat_for
            then 'changed' else 'already_used' end;
    end if;
    if proof_ends_at <= now() then return 'expired'; end if;
    if least(began_at, issued_at) <= now() - fresh_for then return 'stale'; end if;

    begin
        insert into phone_changes (challenge_id, user_id) values (proof_id, of_user);
        update users set phone = new_phone, updated_at = now() where id = of_user;
    exception when unique_violation then
        -- Another user has used the proof, or has the phone.
        return case when exists (select from phone_changes where challenge_id = proof_id) then 'already_used' else 'in_use' end;
    end;
    perform end_sessions_of_user(of_user, 'phone_changed', of_session);
    insert into changes (kind, user_id) values ('user-changed', of_user);
    return 'changed';
end
$$;

-- Ends all sessions of a user and erases what tells who it was; the row stays with its times, for the figures.
create function close_account(of_user uuid, reason text) returns void
language plpgsql set enable_seqscan = off as $$
begin
    perform end_sessions_of_user(of_user, reason);
    update sessions set device_name = null, address = null
    where user_id = of_user and (device_name is not null or address is not null);
    update users set status = 'deleted', phone = null, display_name = null, locale = null, email = null, updated_at = now()
    where id = of_user;
    insert into changes (kind, user_id) values ('user-changed', of_user);
end
$$;

-- Closes the account of an access token; false if the token has been revoked.
create function close_own_account(
    of_user uuid, of_session uuid, issued_at timestamptz, token_hash bytea, token_expires_at timestamptz)
returns boolean
language plpgsql set enable_seqscan = off as $$
begin
    perform from users where id = of_user for no key update;
    perform from live_user(of_session, issued_at, token_hash, token_expires_at) u where u.id = of_user;
    if not found then return false; end if;
    perform close_account(of_user, 'deleted');
    return true;
end
$$;
