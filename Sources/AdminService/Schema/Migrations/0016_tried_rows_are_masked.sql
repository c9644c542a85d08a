-- Why: since 0014 the audit row of an intent is tried before the act. Where the target is a phone, the row that is kept has it
--   masked (the service masks it); the one that was tried had it whole, and an error about it would show it in the log of
--   PostgreSQL.
-- Locks: SHARE ROW EXCLUSIVE on intents for another trigger. Duration: milliseconds.

-- Tries the audit row of an intent without a phone, and takes it back: the lock of the chain, the row and its seal go with the
-- savepoint.
CREATE FUNCTION intents_try_masked_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_log (id, actor_id, actor, action, target_kind, target_id, reason, request_id, address, before)
    VALUES (NEW.id, NEW.admin_id, 'admin', NEW.action, NEW.target_kind,
            CASE NEW.target_kind WHEN 'phone' THEN '*' ELSE NEW.target_id END, NEW.reason, NEW.request_id, NEW.address,
            NEW.before);
    RAISE EXCEPTION 'tried' USING ERRCODE = 'PK001';
EXCEPTION
    WHEN SQLSTATE 'PK001' THEN RETURN NULL;
END
$$;

DROP TRIGGER intents_try_audit_row ON intents;
DROP FUNCTION intents_try_audit_row();
CREATE TRIGGER intents_try_masked_row AFTER INSERT ON intents FOR EACH ROW EXECUTE FUNCTION intents_try_masked_row();
