-- The statement of POST /v1/otp/send (ChallengeStore.sendStatement) with the default limits, for another phone from
-- another network each time.
\set block random(96, 99)
\set rest random(0, 99999999)
\set network random(0, 16777215)
SELECT outcome, decided_at, wait, prefix_over, network_left * 1, network_wait, requests_granted,
    challenge, channel, lifetime, resend_after, resends_left, attempts_left, code_length
FROM order_code(
    NULL, ('+91' || :block || lpad(:rest::text, 8, '0'))::e164, 'sign_in'::purpose, 'sms'::channel, 'queued'::message_state,
    (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0')
        || '7' || substr(md5(:rest::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15))::uuid,
    'benchmark', '\x0000000000000000000000000000000000000000000000000000000000000000'::bytea,
    6, 300, 5, 30, 3, 720000000, 3600000000, 8640000000, 86400000000,
    'network:10.' || :network, 12000000, 300000000, 3, 1000000, 300000000,
    'prefix:+91' || :block || substr(lpad(:rest::text, 8, '0'), 1, 4), 180000000, 3600000000, true,
    NULL, 1, NULL, NULL);
