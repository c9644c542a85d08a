-- Why: an act of an operator whose answer was lost, or could not be written down, is asked for again with the same Idempotency-Key;
--   done again it would undo what somebody has decided in between.
-- Lock: none that matters, all objects are new. Duration: milliseconds.

-- What was done under which key. Rows older than a week are deleted.
create table operator_acts (
    -- The Idempotency-Key of the request; admin-service sends the id of its intent.
    key text collate "C" not null,
    act text not null,
    -- A destination, a phone, or 'all' sending.
    target text not null,
    done_at timestamptz not null default now(),
    constraint operator_acts_pkey primary key (key),
    constraint operator_acts_key_form check (key ~ '^[!-~]{1,64}$'),
    constraint operator_acts_act_known check (act in ('allow', 'block', 'reset', 'pause', 'resume', 'unlock'))
);
-- For the purge.
create index operator_acts_age on operator_acts (done_at);

-- Whether an act is to be done: 'new', also without a key; 'repeated' if this key has done it, 'key-reused' if the key stands for
-- another act or target. Of two at once one waits for the other's commit.
create function begin_act(_key text, _act text, _target text) returns text
    language plpgsql as $$
begin
    if _key is null then
        return 'new';
    end if;
    insert into operator_acts (key, act, target) values (_key, _act, _target) on conflict (key) do nothing;
    if found then
        return 'new';
    end if;
    -- A statement of its own: it sees what was committed while the one before waited.
    return (select case when a.act = _act and a.target = _target then 'repeated' else 'key-reused' end
        from operator_acts a where a.key = _key);
end
$$;
