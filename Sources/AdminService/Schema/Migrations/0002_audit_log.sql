-- What operators did, and what was refused to them. Rows are only ever added.
-- Locks: none that matter, the table is new. Duration: milliseconds.

CREATE TABLE audit_log (
    -- UUIDv7: the order of ids is the order of time, to the millisecond.
    id          uuid        NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    -- The admin; null for the command line and for people who are no admins.
    actor_id    uuid,
    actor       text        NOT NULL,
    action      text        NOT NULL,
    target_kind text,
    target_id   text,
    reason      text,
    request_id  text,
    -- The network the request came from: an IPv4 address, or the /64 of an IPv6 address.
    address     text,
    CONSTRAINT audit_log_pkey PRIMARY KEY (id),
    CONSTRAINT audit_log_actor FOREIGN KEY (actor_id) REFERENCES admins (id),
    CONSTRAINT audit_log_actor_is_known CHECK (actor IN ('admin', 'command', 'stranger')),
    CONSTRAINT audit_log_admin_has_id CHECK ((actor = 'admin') = (actor_id IS NOT NULL)),
    CONSTRAINT audit_log_target_is_whole CHECK ((target_kind IS NULL) = (target_id IS NULL)),
    CONSTRAINT audit_log_action_is_named CHECK (action ~ '^[a-z_]+\.[a-z_]+$'),
    CONSTRAINT audit_log_reason_is_short CHECK (length(reason) <= 500)
);

CREATE INDEX audit_log_by_time ON audit_log (at DESC, id DESC);
CREATE INDEX audit_log_by_actor ON audit_log (actor_id, at DESC) WHERE actor_id IS NOT NULL;
CREATE INDEX audit_log_by_target ON audit_log (target_kind, target_id, at DESC) WHERE target_kind IS NOT NULL;

-- A refused proof may be presented any number of times in its five minutes; it is written down once per reason.
CREATE UNIQUE INDEX audit_log_one_refusal ON audit_log (target_id, reason) WHERE action = 'operator.sign_in_refused';

COMMENT ON TABLE audit_log IS 'Append-only: a trigger refuses UPDATE, DELETE and TRUNCATE to everyone. Holds no phone, code or token.';
COMMENT ON COLUMN audit_log.actor IS 'admin: signed in or signing in; command: the command line on the server; stranger: a proven phone that is no admin''s.';

CREATE FUNCTION audit_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_log is append-only' USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER audit_log_keep_rows BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION audit_log_is_append_only();
CREATE TRIGGER audit_log_keep_all BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_is_append_only();
-- Also where a session disables ordinary triggers (session_replication_role).
ALTER TABLE audit_log ENABLE ALWAYS TRIGGER audit_log_keep_rows;
ALTER TABLE audit_log ENABLE ALWAYS TRIGGER audit_log_keep_all;

-- Rights for the case that the service connects as a role of its own; the owner is held by the triggers alone.
REVOKE UPDATE, DELETE, TRUNCATE ON audit_log FROM PUBLIC;
