-- Why: what operators do to users and destinations happens in other services. It is written down before they are asked and
--   confirmed afterwards, so that each act has exactly one audit row, however late or often the other service answers.
-- Locks: none that matter, the tables are new. Duration: milliseconds.

CREATE TABLE intents (
    -- The id of the audit row that the intent becomes, and the Idempotency-Key for the other service.
    id           uuid        NOT NULL,
    admin_id     uuid        NOT NULL,
    action       text        NOT NULL,
    target_kind  text        NOT NULL,
    target_id    text        NOT NULL,
    reason       text,
    -- The user's status before, as far as it was known.
    before       text,
    request_id   text,
    address      text,
    -- The Idempotency-Key that the operator's client sent.
    client_key   text,
    requested_at timestamptz NOT NULL DEFAULT now(),
    state        text        NOT NULL DEFAULT 'pending',
    -- Why it failed: the problem code of the other service.
    failure      text,
    finished_at  timestamptz,
    CONSTRAINT intents_pkey PRIMARY KEY (id),
    CONSTRAINT intents_admin FOREIGN KEY (admin_id) REFERENCES admins (id),
    CONSTRAINT intents_state_is_known CHECK (state IN ('pending', 'done', 'failed', 'unknown')),
    CONSTRAINT intents_finished_has_time CHECK ((state = 'pending') = (finished_at IS NULL)),
    CONSTRAINT intents_reason_is_short CHECK (length(reason) BETWEEN 1 AND 500),
    CONSTRAINT intents_client_key_is_short CHECK (length(client_key) BETWEEN 1 AND 64)
);

-- One at a time per target: two acts on one user have an order, and a late "suspend" never undoes a later "reactivate".
CREATE UNIQUE INDEX intents_one_pending ON intents (target_kind, target_id) WHERE state = 'pending';
CREATE UNIQUE INDEX intents_client_key_once ON intents (admin_id, client_key) WHERE client_key IS NOT NULL;
CREATE INDEX intents_pending ON intents (requested_at) WHERE state = 'pending';

COMMENT ON TABLE intents IS 'pending -> done | failed | unknown, in the statement that adds the audit row. A pending one older than ten seconds is finished by any instance.';
COMMENT ON COLUMN intents.state IS 'unknown: the other service gave no answer for an hour; nobody asks any more, and the audit row says so.';

-- What admin instances tell each other, so that none shows what another has dropped. Rows live an hour.
CREATE TABLE admin_changes (
    position   bigint      GENERATED ALWAYS AS IDENTITY,
    -- Sequence order is not the order of commits: a reader remembers the snapshot of its last reading and takes the rows of
    -- the transactions that one did not see.
    xid        xid8        NOT NULL DEFAULT pg_current_xact_id(),
    topic      text        NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT admin_changes_pkey PRIMARY KEY (position),
    CONSTRAINT admin_changes_topic_is_known CHECK (topic ~ '^(all|destinations|user:[0-9a-f-]{36})$')
);
CREATE INDEX admin_changes_by_transaction ON admin_changes (xid);
COMMENT ON TABLE admin_changes IS 'Topics of caches to drop: all, destinations, or one user.';
