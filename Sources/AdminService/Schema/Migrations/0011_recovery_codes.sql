-- Why: who loses the authenticator must not need the server's command line to come back in.
-- Locks: none that matter, the table is new; admins is only read. Duration: milliseconds.

CREATE TABLE admin_recovery_codes (
    admin_id  uuid        NOT NULL,
    -- SHA-256 over the operator's id and the code. A code has 120 random bits: no slow hash is needed (ASVS 6.5.2).
    code_hash bytea       NOT NULL,
    made_at   timestamptz NOT NULL DEFAULT now(),
    used_at   timestamptz,
    CONSTRAINT admin_recovery_codes_pkey PRIMARY KEY (admin_id, code_hash),
    CONSTRAINT admin_recovery_codes_admin FOREIGN KEY (admin_id) REFERENCES admins (id),
    CONSTRAINT admin_recovery_codes_hash_is_sha256 CHECK (octet_length(code_hash) = 32)
) WITH (fillfactor = 80);

COMMENT ON TABLE admin_recovery_codes IS 'Ten per operator, made with the authenticator; each stands once in the place of an authenticator''s code.';
