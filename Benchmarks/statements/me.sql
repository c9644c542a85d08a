-- The statement of GET /v1/users/me: session, user and blacklist at once.
\set n random(1, 100000)
SELECT id, phone, status, display_name, locale, email, created_at FROM live_user(
    md5(:n::text)::uuid, now(), sha256(:n::text::bytea), now() + interval '10 min');
