-- Why: an audit log must show that nobody changed it behind the service's back, and say what a change changed.
-- Locks: ACCESS EXCLUSIVE on audit_log for four catalogue changes (nullable columns, no rewrite); the rows that exist are
--   sealed while others may read. Duration: milliseconds, and a second for a hundred thousand rows.

-- What stood before and after, where one word can say it: a role, a status.
ALTER TABLE audit_log ADD COLUMN before text;
ALTER TABLE audit_log ADD COLUMN after text;
-- Why something did not come about: a problem code.
ALTER TABLE audit_log ADD COLUMN failure text;
-- Whether what the row tells of came about. Versions before this one wrote only of what had.
ALTER TABLE audit_log ADD COLUMN outcome text NOT NULL DEFAULT 'done'
    CONSTRAINT audit_log_outcome_is_known CHECK (outcome IN ('done', 'failed', 'unknown'));

CREATE INDEX audit_log_by_action ON audit_log (action, at DESC, id DESC);

-- The hash chain: one seal per audit row, each over the one before it. Seals are made by a trigger after the insertion, so
-- that whoever adds a row seals it, versions that know nothing of this too; and in a table of their own, because a row
-- that "ON CONFLICT DO NOTHING" drops runs the triggers before an insertion but not those after it.
CREATE TABLE audit_seals (
    position bigint NOT NULL,
    audit_id uuid   NOT NULL,
    hash     bytea  NOT NULL,
    CONSTRAINT audit_seals_pkey PRIMARY KEY (position),
    CONSTRAINT audit_seals_row FOREIGN KEY (audit_id) REFERENCES audit_log (id),
    CONSTRAINT audit_seals_once UNIQUE (audit_id),
    CONSTRAINT audit_seals_position_positive CHECK (position > 0),
    CONSTRAINT audit_seals_hash_is_sha256 CHECK (octet_length(hash) = 32)
);

COMMENT ON TABLE audit_seals IS 'hash = SHA-256 (hash before, 32 zero bytes at first; position; the fields of the row). admin-service verify-audit-log computes it anew.';

-- A field of a row as it is hashed: its length in bytes and its text, so that no two rows have the same bytes.
CREATE FUNCTION audit_field(value text) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN value IS NULL THEN '-'::bytea
                ELSE convert_to(octet_length(convert_to(value, 'UTF8')) || ':' || value, 'UTF8') END || ','::bytea
$$;

CREATE FUNCTION audit_seal(previous bytea, seal_position bigint, entry audit_log) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT sha256(
        previous || audit_field(seal_position::text) || audit_field(entry.id::text)
        -- Microseconds since 1970: the same whatever the time zone of the session.
        || audit_field((extract(epoch FROM entry.at) * 1000000)::bigint::text)
        || audit_field(entry.actor_id::text) || audit_field(entry.actor) || audit_field(entry.action)
        || audit_field(entry.target_kind) || audit_field(entry.target_id) || audit_field(entry.reason)
        || audit_field(entry.request_id) || audit_field(entry.address)
        || audit_field(entry.before) || audit_field(entry.after) || audit_field(entry.outcome)
        || audit_field(entry.failure))
$$;

-- Seals one row at the end of the chain. The lock is held until the transaction ends, so that the order of the chain is the
-- order of commits; it is taken last, at the end of a statement, and every statement of ours that writes an audit row is
-- short.
CREATE FUNCTION audit_log_seal() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    last audit_seals;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('audit_seals', 0));
    SELECT * INTO last FROM audit_seals ORDER BY position DESC LIMIT 1;
    INSERT INTO audit_seals (position, audit_id, hash)
    VALUES (coalesce(last.position, 0) + 1, NEW.id,
            audit_seal(coalesce(last.hash, decode(repeat('00', 32), 'hex')), coalesce(last.position, 0) + 1, NEW));
    RETURN NULL;
END
$$;

CREATE TRIGGER audit_log_seal_row AFTER INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION audit_log_seal();
ALTER TABLE audit_log ENABLE ALWAYS TRIGGER audit_log_seal_row;

-- The rows that exist, in the order of time.
DO $$
DECLARE
    entry audit_log;
    previous bytea := decode(repeat('00', 32), 'hex');
    n bigint := 0;
BEGIN
    FOR entry IN SELECT * FROM audit_log ORDER BY at, id LOOP
        n := n + 1;
        previous := audit_seal(previous, n, entry);
        INSERT INTO audit_seals (position, audit_id, hash) VALUES (n, entry.id, previous);
    END LOOP;
END
$$;

CREATE FUNCTION audit_seals_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_seals is append-only' USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER audit_seals_keep_rows BEFORE UPDATE OR DELETE ON audit_seals
    FOR EACH ROW EXECUTE FUNCTION audit_seals_are_append_only();
CREATE TRIGGER audit_seals_keep_all BEFORE TRUNCATE ON audit_seals
    FOR EACH STATEMENT EXECUTE FUNCTION audit_seals_are_append_only();
ALTER TABLE audit_seals ENABLE ALWAYS TRIGGER audit_seals_keep_rows;
ALTER TABLE audit_seals ENABLE ALWAYS TRIGGER audit_seals_keep_all;
REVOKE UPDATE, DELETE, TRUNCATE ON audit_seals FROM PUBLIC;
