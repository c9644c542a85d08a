-- Who may operate Postkey, and their sessions.
-- Locks: none that matter, the tables are new. Duration: milliseconds.

CREATE TABLE admins (
    id                uuid        NOT NULL,
    phone             text        NOT NULL,
    role              text        NOT NULL,
    -- Sealed with AES-256-GCM under a key derived from JWT_SECRET_KEY, bound to the id; never in the clear.
    totp_secret       bytea       NOT NULL,
    -- The time step of the last code accepted (RFC 6238 §5.2): that step and all before it are used up.
    totp_last_step    bigint      NOT NULL DEFAULT 0,
    totp_failures     integer     NOT NULL DEFAULT 0,
    totp_locked_until timestamptz,
    -- The phone proof of the last sign-in. Kept here as well as in admin_sessions because the row lock on this table
    -- makes it visible to the next attempt even when both began at the same time.
    last_challenge_id uuid,
    created_at        timestamptz NOT NULL DEFAULT now(),
    disabled_at       timestamptz,
    CONSTRAINT admins_pkey PRIMARY KEY (id),
    CONSTRAINT admins_phone_is_e164 CHECK (phone ~ '^\+[1-9][0-9]{1,14}$'),
    CONSTRAINT admins_role_is_known CHECK (role IN ('viewer', 'support', 'owner')),
    CONSTRAINT admins_totp_failures_not_negative CHECK (totp_failures >= 0),
    CONSTRAINT admins_totp_last_step_not_negative CHECK (totp_last_step >= 0)
);

-- A phone may come back after its admin was disabled; two active admins never share one.
CREATE UNIQUE INDEX admins_active_phone ON admins (phone) WHERE disabled_at IS NULL;

COMMENT ON TABLE admins IS 'Operators. The row lock serialises sign-in attempts of one operator.';
COMMENT ON COLUMN admins.totp_failures IS 'Consecutive wrong codes; 0 after a right one. The limits are in SecondFactorLimits.';
COMMENT ON COLUMN admins.totp_locked_until IS 'No code is looked at before this; infinity: until the operator is enrolled anew.';
COMMENT ON COLUMN admins.disabled_at IS 'Set instead of deleting: the audit log names the row.';

CREATE TABLE admin_sessions (
    id           uuid        NOT NULL,
    admin_id     uuid        NOT NULL,
    challenge_id uuid        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    ended_at     timestamptz,
    CONSTRAINT admin_sessions_pkey PRIMARY KEY (id),
    CONSTRAINT admin_sessions_admin FOREIGN KEY (admin_id) REFERENCES admins (id),
    CONSTRAINT admin_sessions_challenge_once UNIQUE (challenge_id),
    CONSTRAINT admin_sessions_in_order CHECK (last_seen_at >= created_at AND ended_at >= created_at)
) WITH (fillfactor = 80);

CREATE INDEX admin_sessions_open ON admin_sessions (admin_id) WHERE ended_at IS NULL;

COMMENT ON TABLE admin_sessions IS 'One row per sign-in. Alive while not ended, seen within the idle limit, younger than the absolute limit, and its admin is active; judged with every request.';
COMMENT ON CONSTRAINT admin_sessions_challenge_once ON admin_sessions IS 'One phone proof makes one session.';
COMMENT ON COLUMN admin_sessions.last_seen_at IS 'Written at most once a minute; in no index, so that the update stays HOT.';
