"""The figures of the outbox: how soon a message is at the gateway, how fast many are, and what a million old limits cost."""

import datetime
import time

from bench import people
from bench.figures import Bound, say

# Of otp-service: so many messages are at the gateway at once.
IN_FLIGHT = 64


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


class Outbox:
    def __init__(self, bench):
        self.bench, self.cluster, self.services, self.simulator = bench, bench.cluster, bench.services, bench.simulator

    def measure(self):
        return [*self.idle(), *self.drain(), *self.growth()]

    def idle(self):
        """One send, a pause, the next; to the gateway's clock, from the row's own time and from the answer.

        The row's time is before its commit, the answer comes after it: the commit itself is between the two, and may take
        as long as the disk does.
        """
        database, otp = self.instance("idle")
        self.simulator.request("DELETE", "/messages")
        count, answered = 300 if self.bench.quick else 1000, {}
        for number in range(count):
            phone = self.send(otp, number)
            answered[phone] = time.time() * 1000
            time.sleep(0.025)
        time.sleep(1)
        written = dict(line.split("|") for line in self.cluster.sql(database, """
            SELECT c.phone, extract(epoch FROM m.created_at) * 1000
            FROM messages m JOIN challenges c ON c.id = m.challenge_id""").splitlines())
        _, inbox = self.simulator.request("GET", "/messages?limit=10000")
        otp.process.terminate()
        if len(inbox) != count:
            raise SystemExit(f"{len(inbox)} of {count} messages came")
        # The gateway's times are whole milliseconds, cut off: the one that may be missing is counted.
        taken = {f"+{message['mobile']}": moment(message["received_at"]) + 1 for message in inbox}
        from_row = [moment - float(written[phone]) for phone, moment in taken.items()]
        from_answer = [max(0.0, moment - answered[phone]) for phone, moment in taken.items()]
        return [
            Bound(19, f"idle, {count} sends: from the row, before its commit, to the gateway, p99", "ms", 10, 5).add(
                percentile(from_row, 0.99), f"p50 {percentile(from_row, 0.5):.1f} ms", f"most {max(from_row):.1f} ms"),
            Bound(19, "the same from the answer, after the commit, p99", "ms", 10, 5).add(
                percentile(from_answer, 0.99), f"p50 {percentile(from_answer, 0.5):.1f} ms", f"most {max(from_answer):.1f} ms"),
        ]

    def drain(self):
        """Ten thousand queued messages, a gateway that takes its time for each, and one instance that is started then."""
        database, count, latency = "drain", 10_000, 100
        self.prepare(database)
        people.challenges(self.cluster, database, count, self.services.otp_key, True)
        self.cluster.sql(database, """
            UPDATE challenges SET created_at = clock_timestamp(), expires_at = clock_timestamp() + interval '300 s';
            INSERT INTO messages (challenge_id, number, channel, due_at, created_at, updated_at)
            SELECT id, 0, 'sms', created_at, created_at, created_at FROM challenges;
            ANALYZE""")
        self.simulator.request("DELETE", "/messages")
        self.simulator.request("PUT", "/account", {"latency_ms": latency})
        otp = self.services.start("otp-service", database)
        self.wait(database, "NOT EXISTS (SELECT FROM messages WHERE state = 'queued')", 200)
        self.simulator.request("PUT", "/account", {"latency_ms": 0})
        seconds, late = self.cluster.sql(database, """
            SELECT extract(epoch FROM max(m.submitted_at) - min(m.submitted_at)) , count(*) FILTER (
                WHERE m.state <> 'submitted' OR m.submitted_at >= c.expires_at)
            FROM messages m JOIN challenges c ON c.id = m.challenge_id""").strip().split("|")
        _, inbox = self.simulator.request("GET", "/messages?limit=20000")
        otp.process.terminate()
        if len({message["mobile"] for message in inbox}) != count:
            raise SystemExit(f"{len(inbox)} messages came of {count}")
        ideal = count * latency / 1000 / IN_FLIGHT
        # The first answers come after one latency.
        spent = float(seconds) + latency / 1000
        return [
            Bound(20, f"10,000 queued, {IN_FLIGHT} at once, {latency} ms each: time ÷ the gateway's own", "×", 1.5, 1.1).add(
                spent / ideal, f"{spent:.1f} s", f"{ideal:.1f} s"),
            Bound(20, "the same: codes that came late or not", "", 0, 0).add(float(late), f"{count:,} messages", ""),
        ]

    def growth(self):
        """KEY-12: p99 of send with a million limits that have run out and fifty thousand that hold, while they are purged."""
        database, otp = self.instance("growth")
        rounds = 300 if self.bench.quick else 1000
        before = self.latencies(otp, rounds, 1)
        self.cluster.sql(database, """
            INSERT INTO rate_limits (key, tat) SELECT 'old:' || n, 5 FROM generate_series(1, 1000000) n;
            INSERT INTO rate_limits (key, tat)
            SELECT 'live:' || n, (extract(epoch FROM now()) * 1e6)::bigint + 3600000000 FROM generate_series(1, 50000) n""")
        standing = self.latencies(otp, rounds, 2)
        during, spent = self.purging(database, otp)
        otp.process.terminate()
        usual = percentile(before, 0.99)
        return [
            Bound(21, "p99 of send with a million limits that ran out ÷ with none", "×", 2, 1.2).add(
                percentile(standing, 0.99) / usual, f"{percentile(standing, 0.99):.1f} ms", f"{usual:.1f} ms"),
            Bound(21, f"the same while they are purged, in {spent:.0f} s", "×", 2, 1.2).add(
                percentile(during, 0.99) / usual, f"{percentile(during, 0.99):.1f} ms", f"{usual:.1f} ms"),
        ]

    def purging(self, database, otp):
        """Latencies while old limits are deleted, and for how long that went on. It begins a minute after the start."""
        during, begin, end = [], None, time.monotonic() + 200
        for part in range(4, 1000):
            latencies = self.latencies(otp, 20, 0, first=part * 20)
            gone = self.cluster.sql(database, """
                SELECT 2 - count(*) FROM rate_limits WHERE key IN ('old:1', 'old:1000000')""").strip()
            if begin is None and gone != "0":
                begin = time.monotonic()
            if begin is not None:
                during += latencies
            if gone == "2":
                return during, time.monotonic() - begin
            if time.monotonic() > end:
                break
            if begin is None:
                time.sleep(0.3)
        raise SystemExit("old limits are not purged")

    def latencies(self, otp, count, part, first=0):
        """Milliseconds of sends one after the other."""
        times = []
        for number in range(first, first + count):
            begin = time.perf_counter()
            self.send(otp, part * 20_000 + number)
            times.append((time.perf_counter() - begin) * 1000)
        return times

    def send(self, otp, number):
        """Another phone of another block, from another network, and no last digits that mean a fault."""
        phone = f"+9196{number:05d}{number % 900 + 50:03d}"
        address = f"10.{number // 40000 % 250}.{number // 200 % 200}.{number % 200 + 1}"
        status, body = otp.request("POST", "/v1/otp/send", {"phone": phone}, {"X-Forwarded-For": address})
        if status != 202:
            raise SystemExit(f"send answered {status} {body}")
        return phone

    def prepare(self, database):
        self.cluster.create(database)
        self.services.migrate("otp-service", database)

    def instance(self, database):
        """A database and a service of their own, which have rested for a moment."""
        self.cluster.create(database)
        otp = self.services.start("otp-service", database)
        time.sleep(2)
        for number in range(50):
            self.send(otp, 95_000 + number)
        time.sleep(1)
        self.cluster.sql(database, "DELETE FROM messages")
        return database, otp

    def wait(self, database, condition, seconds):
        end = time.monotonic() + seconds
        while self.cluster.sql(database, f"SELECT {condition}").strip() != "t":
            if time.monotonic() > end:
                raise SystemExit(f"not so after {seconds} s: {condition}")
            time.sleep(0.2)


def moment(text):
    """Milliseconds since the epoch."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000
