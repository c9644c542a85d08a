-- Why: what an operator asks of another service is recorded when that service has done it. If the audit log takes no row
--   then, the act has happened and nobody finds it there. So an intent is only written where its row would be taken.
-- Locks: SHARE ROW EXCLUSIVE on intents for a new trigger. Duration: milliseconds.

-- Tries the audit row of an intent, and takes it back: the lock of the chain, the row and its seal go with the savepoint.
CREATE FUNCTION intents_try_audit_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_log (id, actor_id, actor, action, target_kind, target_id, reason, request_id, address, before)
    VALUES (NEW.id, NEW.admin_id, 'admin', NEW.action, NEW.target_kind, NEW.target_id, NEW.reason, NEW.request_id,
            NEW.address, NEW.before);
    RAISE EXCEPTION 'tried' USING ERRCODE = 'PK001';
EXCEPTION
    WHEN SQLSTATE 'PK001' THEN RETURN NULL;
END
$$;

CREATE TRIGGER intents_try_audit_row AFTER INSERT ON intents FOR EACH ROW EXECUTE FUNCTION intents_try_audit_row();
