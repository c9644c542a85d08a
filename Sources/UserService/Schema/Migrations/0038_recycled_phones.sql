-- Why: networks give unused numbers to other people. Whoever proves a phone that was not used for PHONE_RECYCLE_DAYS may be
--   somebody else than its account's owner, and must not get that account by the phone alone.
-- Locks: ACCESS EXCLUSIVE on users for the time of a catalogue change. Expected duration: milliseconds.

alter table users
    -- Until then the phone alone is enough, however long it was not used: its holder has just shown to be the owner, or an
    -- operator has seen to it.
    add column confirmed_until timestamptz,
    -- Wrong answers to the question who the owner is, since the first of the last day.
    add column failed_confirmations int not null default 0,
    add column failed_confirmation_at timestamptz;

-- Whether a phone may have gone to somebody else. Inlined. A session lives for 30 days: with more days than that nobody is signed
-- in to such an account.
create function phone_may_be_recycled(
    last_sign_in_at timestamptz, created_at timestamptz, confirmed_until timestamptz, recycle_days int)
returns boolean
language sql stable as $$
    select recycle_days > 0 and coalesce(last_sign_in_at, created_at) < now() - make_interval(days => recycle_days)
        and (confirmed_until is null or confirmed_until <= now())
$$;

-- Lets the holder of a phone sign in to its account, once they have named the account's e-mail address. Five wrong answers in a
-- day, and no answer is right until the day is over; an account without an address has no right answer. Returns false for a
-- wrong one; true as well if there is nothing to confirm (any more).
create function confirm_account(of_phone text, recycle_days int, typed_email text) returns boolean
language plpgsql set enable_seqscan = off as $$
declare
    account users;
    failures int;
begin
    select * into account from users where phone = of_phone and status <> 'deleted' for no key update;
    if not found or not phone_may_be_recycled(
        account.last_sign_in_at, account.created_at, account.confirmed_until, recycle_days) then
        return true;
    end if;
    failures := case when account.failed_confirmation_at > now() - interval '1 day' then account.failed_confirmations else 0 end;
    if failures < 5 and lower(account.email) = lower(typed_email) then
        update users set confirmed_until = now() + interval '1 minute', failed_confirmations = 0, failed_confirmation_at = null
        where id = account.id;
        return true;
    end if;
    if failures < 5 then
        update users set failed_confirmations = failures + 1,
            failed_confirmation_at = case when failures = 0 then now() else account.failed_confirmation_at end
        where id = account.id;
    end if;
    return false;
end
$$;

-- Takes a phone from an account that was not used for so long, for somebody who has it now: the account is closed and erased, as
-- if its owner had left. Does nothing to an account that is in use.
create function release_phone(of_phone text, recycle_days int) returns void
language plpgsql set enable_seqscan = off as $$
declare
    account users;
begin
    select * into account from users where phone = of_phone and status = 'active' for no key update;
    if found and phone_may_be_recycled(
        account.last_sign_in_at, account.created_at, account.confirmed_until, recycle_days) then
        perform close_account(account.id, 'recycled');
    end if;
end
$$;

-- act_on_user, with one thing more: an operator who reactivates a user vouches for who holds the phone, for a day.
create function act_on_account(of_user uuid, wanted text, action_key text)
returns table (outcome text, sessions_ended int)
language plpgsql set enable_seqscan = off as $$
begin
    select a.outcome, a.sessions_ended into outcome, sessions_ended from act_on_user(of_user, wanted, action_key) a;
    if wanted = 'reactivate' and outcome = 'done' then
        update users set confirmed_until = now() + interval '1 day', failed_confirmations = 0, failed_confirmation_at = null
        where id = of_user;
    end if;
    return next;
end
$$;
