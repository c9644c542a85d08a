"""People, their tokens and their challenges, in the numbers that a service in use has."""

import hashlib
import hmac
import itertools
import time

rounds = itertools.count()

# Plans for a handful of rows are other plans: a service in use has users. Session n has the id md5(n).
SEED = """
INSERT INTO users (id, phone, display_name, created_at)
SELECT gen_random_uuid(), '+9170' || lpad(n::text, 8, '0'), 'Person ' || n, now() - n * interval '1 min'
FROM generate_series(1, 100000) n;
INSERT INTO sessions (id, user_id, challenge_id, refresh_hash, access_token_id, access_expires_at, idle_expires_at,
    absolute_expires_at)
SELECT md5(row_number() OVER ()::text)::uuid, id, gen_random_uuid(), sha256(id::text::bytea), gen_random_uuid(),
    now() + interval '15 min', now() + interval '14 d', now() + interval '30 d'
FROM users;
ANALYZE;
"""


def blacklist(count, expires):
    """SQL that lists so many tokens."""
    return f"""
        INSERT INTO blacklisted_tokens (token_hash, expires_at)
        SELECT sha256(n::text::bytea), {expires} FROM generate_series(1, {count}) n;
        ANALYZE blacklisted_tokens;
        """


def sign_in(number, otp, user, simulator):
    """One person's whole way to an access token, the code read from the inbox."""
    # Last digits that select no fault of the simulator.
    phone = f"+9198{number:04d}5{number % 1000:03d}"
    address = {"X-Forwarded-For": f"10.1.{number // 250 % 250}.{number % 250 + 1}"}
    _, sent = otp.request("POST", "/v1/otp/send", {"phone": phone}, address)
    for _ in range(400):
        _, inbox = simulator.request("GET", f"/messages?mobile={phone[1:]}")
        if inbox:
            break
        time.sleep(0.005)
    _, proof = otp.request("POST", "/v1/otp/verify", {"challenge_id": sent["challenge_id"], "code": inbox[0]["otp"]}, address)
    status, session = user.request("POST", "/v1/auth/login", {"verification_token": proof["verification_token"]}, address)
    if status not in (200, 201):
        raise SystemExit(f"signing in failed with {status}")
    return session["access_token"]


def challenges(cluster, database, count, secret, known_key):
    """Writes live challenges whose code is 123456 for as many phones; returns lines of id and code.

    The digest is that of docs/architecture.md. `known_key` false: for pgbench, which brings the digest itself.
    """
    key = secret.encode()
    digest_key = hmac.digest(key, b"postkey/otp/digest", "sha256")
    key_id = hmac.digest(key, b"postkey/otp/key-id", "sha256")[:4].hex() if known_key else "benchmark"
    turn = next(rounds)
    block = f"{60 + turn % 36}{turn // 36 % 10}"
    now = int(time.time() * 1000)
    ids, rows, phones, digests = [], [], [], []
    for number in range(count):
        random_part = hashlib.md5(f"{turn} {number} {now}".encode()).hexdigest()
        time_part = f"{now:012x}"
        id = f"{time_part[:8]}-{time_part[8:]}-7{random_part[:3]}-8{random_part[3:6]}-{random_part[6:18]}"
        digest = "\\\\x" + hmac.digest(digest_key, (id + "123456").encode(), "sha256").hex()
        phone = f"+91{block}{number:07d}"
        ids.append(id)
        phones.append((phone, id))
        rows.append((id, phone, "sign_in", key_id, digest, 6, 5))
        digests.append((number + 1, id, digest))
    cluster.copy(database, "phones (phone, sign_in)", phones)
    cluster.sql(database, """
        ALTER TABLE challenges ALTER created_at SET DEFAULT now(), ALTER expires_at SET DEFAULT now() + interval '600 s'""")
    cluster.copy(database, "challenges (id, phone, purpose, key_id, digest, code_length, max_attempts)", rows)
    if not known_key:
        cluster.sql(database, """
            CREATE TABLE IF NOT EXISTS bench_answers (n bigint PRIMARY KEY, id uuid NOT NULL, digest bytea NOT NULL);
            DROP SEQUENCE IF EXISTS bench_answers_at; CREATE SEQUENCE bench_answers_at CACHE 50; TRUNCATE bench_answers""")
        cluster.copy(database, "bench_answers", digests)
    cluster.sql(database, "ANALYZE")
    return [f"{id} 123456" for id in ids]
