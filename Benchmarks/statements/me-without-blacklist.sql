-- The same without looking at the blacklist; the values that it would be asked with are made all the same, as pgbench makes them.
\set n random(1, 100000)
SELECT u.id, u.phone, u.status, u.display_name, u.locale, u.email, u.created_at
FROM sessions s JOIN users u ON u.id = s.user_id
WHERE s.id = md5(:n::text)::uuid AND s.ended_at IS NULL AND s.absolute_expires_at > now()
    AND u.status = 'active' AND (u.sign_in_not_before IS NULL OR u.sign_in_not_before < now())
    AND sha256(:n::text::bytea) IS NOT NULL AND now() + interval '10 min' > '-infinity';
