-- Why: judging an answer is one statement: the attempt is charged, the code consumed and the outcome told together, so
--      that fifty right answers at once give one success and fifty wrong ones five judgements.
-- Lock: none. Duration: instant.

-- Outcomes: verified, incorrect, locked, not-active (unknown, expired, used, superseded, out of attempts).
-- The server passes what the stored digest would be under each key it has; it does not read it.
create function answer_challenge(
    _at timestamptz, _challenge uuid,
    _key_id text, _digest bytea, _previous_key_id text, _previous_digest bytea,
    _lock_every bigint, _lock_seconds bigint, _lock_for_good bigint,
    out outcome text, out decided_at timestamptz, out wait bigint,
    out phone text, out purpose text, out attempts_left bigint
)
    language plpgsql
    set enable_seqscan = off
as $$
#variable_conflict use_column
declare
    _phone e164;
    _purpose purpose;
    _named boolean;
    _locked_until timestamptz;
    _verified boolean;
begin
    outcome := 'not-active';
    select c.phone, c.purpose into _phone, _purpose from challenges c where c.id = _challenge;
    if not found then
        return;
    end if;
    -- The phone's lock: its answers, over all challenges, are judged one after another.
    select coalesce(_challenge in (p.sign_in, p.change_phone, p.admin_sign_in), false), p.locked_until
    into _named, _locked_until
    from phones p where p.phone = _phone for no key update;
    decided_at := coalesce(_at, clock_timestamp());
    if _named is not true then
        return;
    end if;
    if _locked_until > decided_at then
        perform from challenges c
        where c.id = _challenge
            and c.verified_at is null and c.attempts < c.max_attempts and c.expires_at > decided_at;
        if found then
            outcome := 'locked';
            wait := (extract(epoch from least(_locked_until, decided_at + interval '1 day') - decided_at) * 1000000)::bigint;
        end if;
        return;
    end if;

    update challenges c set
        attempts = c.attempts + 1,
        verified_at = case
            when (c.key_id = _key_id and c.digest = _digest)
                or (c.key_id = _previous_key_id and c.digest = _previous_digest) then decided_at
        end
    where c.id = _challenge and c.verified_at is null and c.attempts < c.max_attempts and c.expires_at > decided_at
    returning c.verified_at is not null, c.max_attempts - c.attempts into _verified, attempts_left;
    if not found then
        return;
    end if;
    if _verified then
        outcome := 'verified';
        phone := _phone;
        purpose := _purpose;
        update phones p set failures = 0, locked_until = '-infinity', resend_at = '-infinity' where p.phone = _phone;
    else
        outcome := 'incorrect';
        update phones p set
            failures = p.failures + 1,
            locked_until = case
                when p.failures + 1 >= _lock_for_good then 'infinity'
                when (p.failures + 1) % _lock_every = 0 then decided_at + _lock_seconds * interval '1 s'
                else p.locked_until
            end
        where p.phone = _phone;
    end if;
end
$$;
