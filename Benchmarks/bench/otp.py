"""The figures of otp-service: send, verify, refusals, a gateway that hangs."""

import pathlib
import time

from bench import load, people
from bench.figures import Bound, Ratio, say


class OTP:
    def __init__(self, bench):
        self.bench, self.cluster, self.otp = bench, bench.cluster, bench.otp
        # The same statements run on a database of their own, with the schema of the service's own migrations.
        self.cluster.create("statement")
        bench.services.migrate("otp-service", "statement")

    def send(self):
        return Ratio(6, "`POST /v1/otp/send` ÷ pgbench of the same statement, 16 clients", 0.6, 0.85).measure(
            self.bench.rounds, lambda: load.wrk("send", self.otp.port, self.bench.seconds).per_second,
            lambda: self.cluster.statement("statement", "send.sql", 16, self.bench.seconds))

    def drained(self):
        """Waits until all that was sent before is at the gateway: it belongs to the figure before."""
        end = time.monotonic() + 120
        while self.cluster.sql("otp", "SELECT EXISTS (SELECT FROM messages WHERE state = 'queued')").strip() == "t":
            if time.monotonic() > end:
                raise SystemExit("messages stay in the outbox")
            time.sleep(0.2)

    def answers(self, database, known_key):
        """A file with enough challenges for one round."""
        lines = people.challenges(self.cluster, database, 12_000 * self.bench.seconds, self.bench.services.otp_key, known_key)
        path = pathlib.Path(self.cluster.folder) / f"challenges-{database}"
        path.write_text("\n".join(lines) + "\n")
        return str(path)

    def verify(self):
        def ours():
            path = self.answers("otp", True)
            self.drained()
            return load.wrk("verify", self.otp.port, self.bench.seconds, POSTKEY_CHALLENGES=path).per_second

        def theirs():
            self.answers("statement", False)
            return self.cluster.statement("statement", "verify.sql", 16, self.bench.seconds)

        return Ratio(7, "`POST /v1/otp/verify` ÷ pgbench of the same statement, 16 clients", 0.6, 0.85).measure(
            self.bench.rounds, ours, theirs)

    def refused(self):
        self.drained()
        for _ in range(3):
            self.otp.request("POST", "/v1/otp/send", {"phone": "+919812345678"}, {"X-Forwarded-For": "10.200.0.1"})
        return Ratio(9, "refused `POST /v1/otp/send` ÷ `GET /health/live`", 0.8, 0.95).measure(
            self.bench.rounds,
            lambda: load.wrk("refused", self.otp.port, self.bench.seconds, refused=True).per_second,
            lambda: load.wrk("live", self.otp.port, self.bench.seconds).per_second)

    def hanging(self, send):
        """p99 of send at 70 % of its peak while every call of the gateway hangs, over the same before."""
        rate = 0.7 * max(send.ours)
        normal = load.wrk("send", self.otp.port, 10, 64, rate)
        self.bench.simulator.request("PUT", "/faults", {"hang": True})
        hung = load.wrk("send", self.otp.port, 30, 64, rate)
        self.bench.simulator.request("DELETE", "/faults")
        return Bound(18, "gateway hangs for 30 s: p99 of send ÷ normal", "×", 1.1, 1.0).add(
            hung.p99 / normal.p99, f"{hung.p99:.1f} ms", f"{normal.p99:.1f} ms")

    def latency(self, send, verify):
        say("Latency at 70 % of the peak")
        self.drained()
        sent = load.wrk("send", self.otp.port, self.bench.seconds, 64, 0.7 * max(send.ours))
        path = self.answers("otp", True)
        self.drained()
        verified = load.wrk("verify", self.otp.port, self.bench.seconds, 64, 0.7 * max(verify.ours), POSTKEY_CHALLENGES=path)
        return [
            Bound(10, "p99 of 6 at 70 % of its peak", "ms", 10, 5).add(sent.p99, f"{sent.per_second:,.0f}/s", f"p50 {sent.p50:.1f} ms"),
            Bound(10, "p99 of 7 at 70 % of its peak", "ms", 10, 5).add(
                verified.p99, f"{verified.per_second:,.0f}/s", f"p50 {verified.p50:.1f} ms"),
        ]
