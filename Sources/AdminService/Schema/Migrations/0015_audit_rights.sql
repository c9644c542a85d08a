-- Why: the role that the service connects with owns its tables, and so had the right to change and delete audit rows; only the
--   triggers kept it from doing so. Now it has neither the right.
-- Locks: none that matter. Duration: milliseconds.
--
-- An owner could take the right back, which shows in the catalog, and verify-audit-log still finds what was changed. A later
-- migration that has to change rows grants itself what it needs, and revokes it.

REVOKE UPDATE, DELETE, TRUNCATE ON audit_log, audit_seals FROM CURRENT_USER;
-- The foreign key of audit_seals locks the row that it points to, for which PostgreSQL wants the right to update some column.
GRANT UPDATE (id) ON audit_log TO CURRENT_USER;
