"""Measures Postkey against PostgreSQL's own limit, as ratios within one run, and writes docs/benchmarks.md.

Both sides of a ratio alternate (A B A B …) on the same cluster over the same transport; the medians are compared. The
cluster, the services, the gateway's simulator and the load generator all share this machine.
"""

import argparse
import json
import os
import pathlib
import random
import re
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
PORT = 6599


def free_port():
    """Below the range of outgoing connections."""
    for port in random.sample(range(20000, 32000), 100):
        with socket.socket() as candidate:
            if candidate.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise SystemExit("no free port")


OTP, USER, SIMULATOR = free_port(), free_port(), free_port()
CLIENTS = (4, 8, 16)


def say(text):
    print(text, flush=True)


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise SystemExit(f"{command[0]} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout


# Plans for a handful of rows are other plans: a service in use has users.
SEED = """
INSERT INTO users (id, phone, display_name, created_at)
SELECT gen_random_uuid(), '+9170' || lpad(n::text, 8, '0'), 'Person ' || n, now() - n * interval '1 min'
FROM generate_series(1, 100000) n;
INSERT INTO sessions (id, user_id, challenge_id, refresh_hash, access_token_id, access_expires_at, idle_expires_at,
    absolute_expires_at)
SELECT gen_random_uuid(), id, gen_random_uuid(), sha256(id::text::bytea), gen_random_uuid(), now() + interval '15 min',
    now() + interval '14 d', now() + interval '30 d'
FROM users;
ANALYZE;
"""


class Cluster:
    """A private PostgreSQL with durable settings, on a Unix socket."""

    def __init__(self, binaries):
        self.binaries = binaries
        self.folder = tempfile.mkdtemp(prefix="postkey-bench-", dir="/tmp")
        self.as_user = []
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
            self.as_user = ["runuser", "-u", "postgres", "--"]

    def program(self, name):
        return str(self.binaries / name)

    def start(self):
        data = f"{self.folder}/data"
        run(*self.as_user, self.program("initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale",
            cwd=self.folder)
        settings = "-c listen_addresses='' -c shared_buffers=512MB -c max_connections=100 -c max_wal_size=4GB"
        run(*self.as_user, self.program("pg_ctl"), "-D", data, "-w", "-s", "-l", f"{self.folder}/log",
            "-o", f"-p {PORT} -k {self.folder} {settings}", "start", cwd=self.folder)

    def stop(self):
        subprocess.run([*self.as_user, self.program("pg_ctl"), "-D", f"{self.folder}/data", "-m", "immediate", "-s", "stop"],
                       cwd=self.folder, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database):
        return f"postgresql:///{database}?host={self.folder}&port={PORT}&user=postgres"

    def sql(self, database, script):
        return run("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", self.url(database), "-c", script)

    def pgbench(self, database, clients, seconds, *arguments):
        output = run(self.program("pgbench"), "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(seconds),
                     "-h", self.folder, "-p", str(PORT), "-U", "postgres", *arguments, database)
        return float(re.search(r"tps = ([0-9.]+)", output).group(1))

    def best_pgbench(self, database, seconds, *arguments):
        return max(self.pgbench(database, clients, seconds, *arguments) for clients in CLIENTS)

    def fsync(self):
        """Durable writes of 8 kB each second, by pg_test_fsync's fdatasync."""
        output = run(self.program("pg_test_fsync"), "-s", "1", "-f", f"{self.folder}/fsync")
        return float(re.search(r"fdatasync\s+([0-9.]+) ops/sec", output).group(1))


class Services:
    """otp-service, user-service and the simulator, as a person would start them, with the services' own limits."""

    def __init__(self, cluster, folder):
        self.folder = folder
        self.processes = []
        self.environment = {
            "PATH": os.environ["PATH"], "HOST": "127.0.0.1", "LOG_LEVEL": "error", "TRUSTED_PROXIES": "127.0.0.0/8",
            "JWT_SECRET_KEY": secrets.token_hex(32), "OTP_SECRET_KEY": secrets.token_hex(32),
            "MSG91_AUTH_KEY": secrets.token_hex(12), "MSG91_TEMPLATE_ID": secrets.token_hex(12),
            "SIMULATOR_FAULT_NUMBERS": "off", "MSG91_BASE_URL": f"http://127.0.0.1:{SIMULATOR}",
            "OTP_DATABASE_URL": cluster.url("otp"), "USER_DATABASE_URL": cluster.url("users"),
        }

    def start(self, name, port, path, migrate=True):
        environment = {**self.environment, "PORT": str(port)}
        if migrate:
            run(str(self.folder / name), "migrate", env=environment, cwd="/")
        process = subprocess.Popen([str(self.folder / name)], env=environment, cwd="/", stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        self.processes.append(process)
        begin = time.monotonic()
        while time.monotonic() - begin < 20:
            if process.poll() is not None:
                raise SystemExit(f"{name} ended with {process.returncode}")
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=1):
                    return process, time.monotonic() - begin
            except OSError:
                time.sleep(0.005)
        raise SystemExit(f"{name} did not become ready")

    def stop(self):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait(timeout=40)


def resident(process):
    pages = int(pathlib.Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6


def post(port, path, body, address="127.0.0.1"):
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", json.dumps(body).encode(),
        {"Content-Type": "application/json", "X-Forwarded-For": address})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def sign_in(number):
    """One person's whole way to an access token."""
    # Last digits that select no fault of the simulator.
    phone = f"+9198{number:04d}5{number:03d}"
    sent = post(OTP, "/v1/otp/send", {"phone": phone}, f"10.1.0.{number % 250 + 1}")
    for _ in range(200):
        with urllib.request.urlopen(f"http://127.0.0.1:{SIMULATOR}/messages?mobile={phone[1:]}", timeout=10) as answer:
            inbox = json.load(answer)
        if inbox:
            break
        time.sleep(0.01)
    proof = post(OTP, "/v1/otp/verify", {"challenge_id": sent["challenge_id"], "code": inbox[0]["otp"]})
    return post(USER, "/v1/auth/login", {"verification_token": proof["verification_token"]})["access_token"]


def wrk(script, port, connections, seconds, environment=None):
    output = run("wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s", "--timeout", "10s",
                 "-s", str(ROOT / "Benchmarks" / script), f"http://127.0.0.1:{port}", env={**os.environ, **(environment or {})})
    failed, total = map(int, re.search(r"failed (\d+) of (\d+)", output).groups())
    if failed * 100 > total:
        raise SystemExit(f"{script}: {failed} of {total} requests failed, so the figure would mean nothing")
    return float(re.search(r"per_second ([0-9.]+)", output).group(1))


class Figure:
    def __init__(self, number, name, must, aim):
        self.number, self.name, self.must, self.aim = number, name, must, aim
        self.ours, self.theirs = [], []

    def measure(self, rounds, ours, theirs):
        for round_number in range(rounds):
            self.theirs.append(theirs())
            self.ours.append(ours())
            say(f"  figure {self.number}, round {round_number + 1} of {rounds}: "
                f"{self.ours[-1]:.0f}/s over {self.theirs[-1]:.0f}/s")

    @property
    def ratio(self):
        return statistics.median(self.ours) / statistics.median(self.theirs)

    def row(self):
        verdict = "aim" if self.ratio >= self.aim else "must" if self.ratio >= self.must else "**not reached**"
        return (f"| {self.number} | {self.name} | {statistics.median(self.ours):,.0f} | "
                f"{statistics.median(self.theirs):,.0f} | {self.ratio:.2f} | {self.must} | {self.aim} | {verdict} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binaries", type=pathlib.Path, required=True, help="folder of the release build")
    parser.add_argument("--postgres", type=pathlib.Path, required=True, help="folder of pgbench, initdb and pg_ctl")
    parser.add_argument("--quick", action="store_true", help="rounds of 3 s instead of 10 s")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    seconds = 3 if options.quick else 10

    cluster = Cluster(options.postgres)
    services = Services(cluster, options.binaries)
    try:
        say("Starting PostgreSQL, the services and the simulator")
        cluster.start()
        for database in ("bench", "otp", "users", "statement"):
            cluster.sql("postgres", f"CREATE DATABASE {database}")
        run(cluster.program("pgbench"), "-i", "-q", "-s", "10", "-h", cluster.folder, "-p", str(PORT), "-U", "postgres", "bench")
        services.start("msg91-simulator", SIMULATOR, "/health/live", migrate=False)
        otp, _ = services.start("otp-service", OTP, "/health/ready")
        user, _ = services.start("user-service", USER, "/health/ready")
        time.sleep(2)
        idle = {"otp-service": resident(otp), "user-service": resident(user)}
        figures = measure(cluster, services, options, seconds)
        loaded = {"otp-service": resident(otp), "user-service": resident(user)}
        write(cluster, figures, idle, loaded, options, seconds)
    finally:
        services.stop()
        cluster.stop()


def measure(cluster, services, options, seconds):
    def module(connections, tasks):
        return float(run(str(options.binaries / "postkey-benchmark"), "--url", cluster.url("bench"), "--keys", "1000000",
                         "--connections", str(connections), "--tasks", str(tasks), "--seconds", str(seconds)))

    select = lambda: cluster.best_pgbench("bench", seconds, "-S")
    first = Figure(1, "Postgres module, pipelined, 2 connections ÷ best `pgbench -S`", 0.8, 1.2)
    first.measure(options.rounds, lambda: module(2, 128), select)
    second = Figure(2, "Postgres module, 1 connection: pipelined ÷ unpipelined", 2, 3)
    second.measure(options.rounds, lambda: module(1, 128), lambda: module(1, 1))

    say("Making 100,000 users with sessions, and signing 64 people in")
    cluster.sql("users", SEED)
    tokens = pathlib.Path(cluster.folder) / "tokens"
    lines = "\n".join(sign_in(number) for number in range(64))
    tokens.write_text(lines + "\n")
    third = Figure(3, "`GET /v1/users/me` ÷ best `pgbench -S`", 0.35, 0.50)
    third.measure(options.rounds, lambda: wrk("me.lua", USER, 128, seconds, {"POSTKEY_TOKENS": str(tokens)}), select)

    # The same statement on a database of its own, with the schema that otp-service's own migrations made.
    statement = {**services.environment, "OTP_DATABASE_URL": cluster.url("statement")}
    run(str(options.binaries / "otp-service"), "migrate", env=statement, cwd="/")
    sixth = Figure(6, "`POST /v1/otp/send` ÷ pgbench of the same statement, 16 clients", 0.6, 0.85)
    sixth.measure(options.rounds, lambda: wrk("send.lua", OTP, 128, seconds),
                  lambda: cluster.pgbench("statement", 16, seconds, "-f", str(ROOT / "Benchmarks" / "send.sql")))
    return [first, second, third, sixth]


def write(cluster, figures, idle, loaded, options, seconds):
    version = cluster.sql("postgres", "SHOW server_version").strip()
    memory = ", ".join(f"{name} {idle[name]:.0f} MB idle, {loaded[name]:.0f} MB after the load" for name in idle)
    table = "\n".join(figure.row() for figure in figures)
    text = f"""# Benchmarks

Written by `scripts/benchmark.sh{" --quick" if options.quick else ""}`; the numbers are of the machine that it ran on.
PostgreSQL {version}, its clients, the services, the gateway's simulator and the load generator share {os.cpu_count()} cores.
Transport to PostgreSQL: Unix socket. Medians of {options.rounds} rounds of {seconds} s, both sides alternating. fdatasync by
`pg_test_fsync`: {cluster.fsync():,.0f} a second.

| # | figure | ours, 1/s | theirs, 1/s | ratio | must | aim | reached |
|---|---|---|---|---|---|---|---|
{table}

Figure 6 delivers each code to the simulator on the same two cores while it is measured; pgbench runs the statement alone.
Resident memory: {memory}.
"""
    (ROOT / "docs" / "benchmarks.md").write_text(text)
    say("\n" + text)


if __name__ == "__main__":
    sys.exit(main())
