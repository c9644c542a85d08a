"""Measures Postkey against PostgreSQL's own limit, as ratios within one run, and writes docs/benchmarks.md.

Both sides of a ratio alternate (A B A B …) on the same cluster over the same transport; the medians are compared. The
cluster, the services, the gateway's simulator and the load generator all share this machine.
"""

import argparse
import os
import pathlib
import sys
import time

from bench import console, load
from bench.cluster import PORT, Cluster, run
from bench.figures import Bound, Ratio, say
from bench.otp import OTP
from bench.outbox import Outbox
from bench.services import Services
from bench.users import Users

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Bench:
    """What all figures share."""

    def __init__(self, options):
        self.binaries, self.quick, self.rounds = options.binaries, options.quick, options.rounds
        self.seconds = 3 if options.quick else 10
        self.cluster = Cluster(options.postgres, options.data)
        self.services = Services(self.cluster, options.binaries)
        self.person = 0

    def numbers(self, count):
        """Numbers of people that nobody has had yet."""
        self.person += count
        return range(self.person - count, self.person)

    def start(self):
        say("Starting PostgreSQL, the services and the simulator")
        self.cluster.start()
        for database in ("bench", "otp", "users"):
            self.cluster.create(database)
        run(self.cluster.program("pgbench"), "-i", "-q", "-s", "10", "-h", self.cluster.folder, "-p", str(PORT), "-U", "postgres", "bench")
        self.cluster.sql("bench", "CREATE TABLE bench_rows (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, value int)")
        self.simulator = self.services.start_simulator()
        self.user = self.services.start("user-service", "users", self.services.user_port)
        self.otp = self.services.start("otp-service", "otp", self.services.otp_port)
        time.sleep(2)
        self.idle = self.memory()

    def start_bare(self):
        """Without the services: for figures that start their own."""
        self.cluster.start()
        self.simulator = self.services.start_simulator()

    def memory(self):
        return {"otp-service": self.otp.megabytes, "user-service": self.user.megabytes}

    def stop(self):
        self.services.stop()
        self.cluster.stop()


def module(bench):
    url = bench.cluster.url("bench")
    reads = lambda connections, tasks: load.reads(bench.binaries, url, connections, tasks, bench.seconds)
    select = lambda: bench.cluster.best_pgbench("bench", bench.seconds, "-S")
    return [
        Ratio(1, "Postgres module, pipelined, 2 connections ÷ best `pgbench -S`", 0.8, 1.2).measure(
            bench.rounds, lambda: reads(2, 128), select),
        Ratio(2, "Postgres module, 1 connection: pipelined ÷ unpipelined", 2, 3).measure(
            bench.rounds, lambda: reads(1, 128), lambda: reads(1, 1)),
    ]


def whole_sign_in(bench):
    insert = lambda: max(bench.cluster.statement("bench", "insert.sql", clients, bench.seconds) for clients in (8, 16, 32)) / 4
    return Ratio(8, "whole sign-in (send, verify, login, me, logout) ÷ (pgbench of a bare durable insert ÷ 4)", 0.4, 0.7).measure(
        bench.rounds, lambda: load.sign_ins(bench.binaries, bench.services, bench.seconds), insert)


def measure(bench):
    figures = module(bench)
    users, otp = Users(bench), OTP(bench)
    profile = users.profile()
    figures += [profile, users.check()]
    send, verify = otp.send(), otp.verify()
    figures += [send, verify, whole_sign_in(bench), otp.refused()]
    bench.loaded = bench.memory()
    figures += [users.latency(profile), *otp.latency(send, verify)]
    figures += [users.logout(), *users.big_blacklist()]
    # Last, for what could not be sent meanwhile stands before every other code for a while.
    figures += [otp.hanging(send), *standing(bench)]
    return sorted(figures, key=lambda figure: figure.number)


def standing(bench):
    """Memory and start, of the service that does worst."""
    idle, loaded = max(bench.idle.items(), key=lambda item: item[1]), max(bench.loaded.items(), key=lambda item: item[1])
    slowest = max((bench.otp, bench.user), key=lambda service: service.seconds_to_ready)
    return [
        Bound(15, "resident memory, idle", "MB", 40, 25).add(idle[1], idle[0], ""),
        Bound(15, "resident memory, after full load", "MB", 120, 80).add(loaded[1], loaded[0], ""),
        Bound(16, "start to ready, schema current", "s", 1, 0.3).add(slowest.seconds_to_ready, "", ""),
    ]


def write(bench, figures):
    version = bench.cluster.sql("postgres", "SHOW server_version").strip()
    table = "\n".join(figure.row() for figure in figures)
    text = f"""# Benchmarks

Written by `scripts/benchmark.sh{" --quick" if bench.quick else ""}`; the numbers are of the machine that it ran on.
PostgreSQL {version}, its clients, the services, the gateway's simulator and the load generators share {os.cpu_count()} cores.
Transport to PostgreSQL: Unix socket. Medians of {bench.rounds} rounds of {bench.seconds} s, both sides alternating. fdatasync by
`pg_test_fsync`: {bench.cluster.fsync():,.0f} a second.

| # | figure | ours | limit, or detail | value | must | aim | reached |
|---|---|---|---|---|---|---|---|
{table}

Figures 6 to 8 deliver each code to the simulator on the same cores while they are measured; pgbench runs the statement
alone. Figure 14 includes the sign-in's own connections being made anew, and asks at most once a millisecond.
"""
    (ROOT / "docs" / "benchmarks.md").write_text(text)
    say("\n" + text)


def write_outbox(bench):
    bench.start_bare()
    version = bench.cluster.sql("postgres", "SHOW server_version").strip()
    table = "\n".join(figure.row() for figure in Outbox(bench).measure())
    text = f"""# Benchmarks of the outbox

Written by `scripts/benchmark.sh --outbox{" --quick" if bench.quick else ""}`; the numbers are of the machine that it ran on.
PostgreSQL {version}, one otp-service, the gateway's simulator and who asks share {os.cpu_count()} cores.

| # | figure | ours | limit, or detail | value | must | aim | reached |
|---|---|---|---|---|---|---|---|
{table}

Figure 19 ends with the simulator's receipt of the request, rounded up to the next millisecond; what its two rows differ by is
the commit itself. Figure 20 begins and ends with the first and the last answer of the gateway.
"""
    (ROOT / "docs" / "benchmarks-outbox.md").write_text(text)
    say("\n" + text)


def write_console(bench, options):
    bench.cluster.start()
    results = console.measure(bench, [100_000, 1_000_000] + ([10_000_000] if options.ten_million else []), options.only_make)
    if not results:
        return
    version = bench.cluster.sql("postgres", "SHOW server_version").strip()
    environment = f"PostgreSQL {version}, the services and who asks share {os.cpu_count()} cores."
    text = console.report(bench, results, environment)
    (ROOT / "docs" / "benchmarks-console.md").write_text(text)
    say("\n" + text)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binaries", type=pathlib.Path, required=True, help="folder of the release build")
    parser.add_argument("--postgres", type=pathlib.Path, required=True, help="folder of pgbench, initdb and pg_ctl")
    parser.add_argument("--quick", action="store_true", help="rounds of 3 s instead of 10 s, a million tokens instead of ten")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--outbox", action="store_true", help="measure the outbox instead, and what old limits cost")
    parser.add_argument("--console", action="store_true", help="measure the console instead, over 100,000 and a million users")
    parser.add_argument("--ten-million", action="store_true", help="with --console: over ten million too, on 15 GB of disk")
    parser.add_argument("--data", type=pathlib.Path, help="with --console: a folder that keeps the made-up people for the next time")
    parser.add_argument("--only-make", action="store_true", help="with --data: make them and measure nothing")
    options = parser.parse_args()
    bench = Bench(options)
    try:
        if options.outbox:
            write_outbox(bench)
        elif options.console:
            write_console(bench, options)
        else:
            bench.start()
            write(bench, measure(bench))
    finally:
        bench.stop()


if __name__ == "__main__":
    sys.exit(main())
