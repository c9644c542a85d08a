"""The figures of user-service: the checked profile, its blacklist, cleanup, and how soon others know of a logout."""

import pathlib
import statistics
import time

from bench import load, people
from bench.cluster import STATEMENTS, run
from bench.figures import Bound, Ratio, say


class Users:
    def __init__(self, bench):
        self.bench, self.cluster, self.user = bench, bench.cluster, bench.user
        say("Making 100,000 users with sessions, and signing 64 people in")
        self.make_people("users")
        self.tokens = self.sign_in(self.user, "tokens")

    def make_people(self, database):
        self.cluster.sql(database, people.SEED)
        # As pgbench does after making its rows: else autovacuum does it while the next figure is measured.
        self.cluster.sql(database, "VACUUM ANALYZE")

    def sign_in(self, user, name):
        lines = "\n".join(people.sign_in(number, self.bench.otp, user, self.bench.simulator) for number in self.bench.numbers(64))
        path = pathlib.Path(self.cluster.folder) / name
        path.write_text(lines + "\n")
        return str(path)

    def me(self, user=None, tokens=None, **pace):
        return load.wrk("me", (user or self.user).port, self.bench.seconds, POSTKEY_TOKENS=tokens or self.tokens, **pace)

    def profile(self):
        return Ratio(3, "`GET /v1/users/me` ÷ best `pgbench -S`", 0.35, 0.50).measure(
            self.bench.rounds, lambda: self.me().per_second,
            lambda: self.cluster.best_pgbench("bench", self.bench.seconds, "-S"))

    def check(self):
        """On a second instance, in whose database the check of a token does not look at the blacklist."""
        self.cluster.create("unchecked")
        user = self.bench.services.start("user-service", "unchecked")
        self.make_people("unchecked")
        self.cluster.sql("unchecked", (STATEMENTS / "live-user-without-blacklist.sql").read_text())
        tokens = self.sign_in(user, "tokens-unchecked")
        return Ratio(4, "3 with the blacklist check ÷ without", 0.92, 1.0).measure(
            self.bench.rounds, lambda: self.me().per_second, lambda: self.me(user, tokens).per_second)

    def latency(self, profile):
        result = self.me(connections=64, rate=0.7 * max(profile.ours))
        return Bound(10, "p99 of 3 at 70 % of its peak", "ms", 10, 5).add(
            result.p99, f"{result.per_second:,.0f}/s", f"p50 {result.p50:.1f} ms")

    def big_blacklist(self):
        """Figures 5 and 13, on a second instance with a database of its own."""
        count = 1_000_000 if self.bench.quick else 10_000_000
        say(f"Listing {count:,} tokens")
        self.cluster.create("listed")
        user = self.bench.services.start("user-service", "listed")
        self.make_people("listed")
        self.cluster.sql("listed", people.blacklist(count, "now() + interval '10 min'"))
        tokens = self.sign_in(user, "tokens-listed")
        full = Ratio(5, f"3 with {count:,} blacklisted tokens ÷ with none", 0.95, 1.0).measure(
            self.bench.rounds, lambda: self.me(user, tokens).per_second, lambda: self.me().per_second)
        return [full, *self.cleanup(user, tokens, count, 0.5 * max(full.ours))]

    def cleanup(self, user, tokens, count, rate):
        day = "(now() AT TIME ZONE 'UTC')::date - 3"
        name = self.cluster.sql("listed", f"SELECT 'blacklisted_tokens_' || to_char({day}, 'YYYYMMDD')").strip()
        bounds = self.cluster.sql("listed", f"SELECT format('FROM (%L) TO (%L)', ({day}) || ' 00:00Z', ({day} + 1) || ' 00:00Z')").strip()
        self.cluster.sql("listed", f"CREATE TABLE {name} PARTITION OF blacklisted_tokens FOR VALUES {bounds}")
        self.cluster.sql("listed", people.blacklist(count, f"({day})::timestamp AT TIME ZONE 'UTC' + interval '12 h'"))
        before = self.me(user, tokens, connections=32, rate=rate)
        during = load.Background("me", user.port, self.bench.seconds, rate, POSTKEY_TOKENS=tokens)
        time.sleep(0.5)
        begin = time.monotonic()
        run(str(self.bench.binaries / "user-service"), "cleanup",
            env=self.bench.services.with_database("user-service", "listed"), cwd="/")
        took = time.monotonic() - begin
        left = self.cluster.sql("listed", f"SELECT to_regclass('{name}') IS NULL").strip()
        if left != "t":
            raise SystemExit("the expired partition is still there")
        p99 = during.result().p99
        return [
            Bound(13, f"cleanup of {count:,} expired tokens", "s", 1, 0.1).add(took, "process and all"),
            Bound(13, "p99 of 3 during it ÷ before", "×", 1.2, 1.05).add(p99 / before.p99, f"{p99:.1f} ms", f"{before.p99:.1f} ms"),
        ]

    def logout(self):
        """From the answer of a logout until otp-service, which follows the feed, refuses the token."""
        times = []
        for number in self.bench.numbers(40 if self.bench.quick else 200):
            token = people.sign_in(number, self.bench.otp, self.user, self.bench.simulator)
            bearer = {"Authorization": f"Bearer {token}", "X-Forwarded-For": f"10.9.{number // 250 % 250}.{number % 250 + 1}"}
            status, _ = self.user.request("POST", "/v1/auth/logout", None, bearer)
            if status != 204:
                raise SystemExit(f"logout failed with {status}")
            begin = time.monotonic()
            while self.bench.otp.request("POST", "/v1/otp/send", {"phone": "+91", "purpose": "change_phone"}, bearer)[0] != 401:
                if time.monotonic() - begin > 5:
                    raise SystemExit("the token is still accepted after five seconds")
                time.sleep(0.001)
            times.append((time.monotonic() - begin) * 1000)
        p99 = statistics.quantiles(times, n=100, method="inclusive")[98]
        return Bound(14, "logout refused by another service: p99", "ms", 1000, 100).add(
            p99, f"{len(times)} logouts", f"p50 {statistics.median(times):.1f} ms")
