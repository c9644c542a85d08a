"""The console over many made-up users: each page and each endpoint, cold and warm, at several sizes of the databases."""

import base64
import hashlib
import hmac
import http.client
import json
import re
import statistics
import struct
import time
import urllib.parse

from bench import agreement
from bench.cluster import run
from bench.figures import say
from bench.services import Services, free_port

OPERATOR = "+919876500001"
BAR_COLD, BAR_WARM = 50, 5


def totp(uri):
    """The present code of an authenticator (RFC 6238)."""
    secret = re.search(r"secret=([A-Z2-7]+)", uri).group(1)
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.digest(key, struct.pack(">q", int(time.time()) // 30), hashlib.sha1)
    offset = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[offset:offset + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


class Databases:
    """The three databases of one size, filled unless they are already."""

    def __init__(self, bench, users):
        self.bench, self.users = bench, users
        self.names = {name: f"{name}_{users}" for name in ("users", "otp", "admin")}

    def make(self):
        cluster, services = self.bench.cluster, self.bench.services
        there = cluster.sql("postgres", "SELECT datname FROM pg_database").split()
        if self.names["admin"] in there:
            return
        say(f"Making {self.users:,} users")
        for name in self.names.values():
            if name not in there:
                cluster.create(name)
        services.migrate("user-service", self.names["users"])
        services.migrate("otp-service", self.names["otp"])
        started = time.monotonic()
        environment = {
            **services.environment, "USER_DATABASE_URL": cluster.url(self.names["users"]),
            "OTP_DATABASE_URL": cluster.url(self.names["otp"])}
        say(run(str(self.bench.binaries / "postkey-seed"), "--users", str(self.users), env=environment, cwd="/").strip())
        say(f"  in {time.monotonic() - started:.0f} s")
        for name in ("users", "otp"):
            cluster.sql(self.names[name], "VACUUM")
        # Last, so that a filling that was stopped is noticed; it has to be removed by hand.
        services.migrate("admin-service", self.names["admin"])


class Browser:
    """One connection to admin-service, signed in as an owner."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.token = None

    def ask(self, method, path, is_page=False, body=None):
        """The milliseconds until the whole answer is there, and the answer."""
        headers = {}
        if self.token:
            headers = {"Cookie": f"postkey_admin={self.token}"} if is_page else {"Authorization": f"Bearer {self.token}"}
        if is_page:
            headers["Accept"] = "text/html"
        if body is not None:
            headers["Content-Type"] = "application/json"
        begin = time.perf_counter()
        self.connection.request(method, path, body if body is None else json.dumps(body), headers)
        answer = self.connection.getresponse()
        text = answer.read()
        took = (time.perf_counter() - begin) * 1000
        if answer.status not in (200, 201, 204):
            raise SystemExit(f"{method} {path}: {answer.status} {text[:300]}")
        return took, text

    def warm_up(self, path, is_page):
        """Until it is answered: what PostgreSQL has to read from the disk for the first time may take longer than anybody waits."""
        for _ in range(20):
            try:
                return self.ask("GET", path, is_page)
            except SystemExit as problem:
                say(f"  {problem}")
                time.sleep(1)
        raise SystemExit(f"{path} is never answered")


class Console:
    """The three services over the databases of one size, asked question after question."""

    def __init__(self, bench, users):
        self.bench, self.users = bench, users
        self.databases = Databases(bench, users)

    def start(self):
        services, names = self.bench.services, self.databases.names
        self.user = services.start("user-service", names["users"], services.user_port)
        self.otp = services.start("otp-service", names["otp"], services.otp_port)
        self.admin = services.start("admin-service", names["admin"], free_port())
        self.browser = Browser(self.admin.port)
        self.browser.token = self.sign_in()

    def sign_in(self):
        services = self.bench.services
        environment = services.with_database("admin-service", self.databases.names["admin"])
        sheet = run(str(self.bench.binaries / "admin-service"), "create-admin", "--phone", OPERATOR, "--role", "owner",
                    "--replace", env=environment, cwd="/")
        _, sent = self.otp.request("POST", "/v1/otp/send", {"phone": OPERATOR, "purpose": "admin_sign_in"})
        for _ in range(400):
            _, inbox = self.bench.simulator.request("GET", f"/messages?mobile={OPERATOR[1:]}")
            if inbox:
                break
            time.sleep(0.01)
        _, proof = self.otp.request("POST", "/v1/otp/verify", {"challenge_id": sent["challenge_id"], "code": inbox[0]["otp"]})
        self.bench.simulator.request("DELETE", "/messages")
        status, answer = self.admin.request(
            "POST", "/v1/admin/login", {"verification_token": proof["verification_token"], "totp_code": totp(sheet)})
        if status != 200:
            raise SystemExit(f"signing in failed with {status}: {answer}")
        return answer["access_token"]

    def questions(self):
        """What is asked: a name, a path, and whether it is a page. Each is another kind of work for the database."""
        _, text = self.browser.ask("GET", "/v1/admin/users?limit=1&status=active")
        user = json.loads(text)["users"][0]["id"]
        phone = self.bench.cluster.sql(
            self.databases.names["users"], f"SELECT phone FROM users WHERE id = '{user}'").strip()
        quoted = urllib.parse.quote
        _, text = self.browser.ask("GET", "/v1/admin/users?sort=created_at&limit=200")
        cursor = quoted(json.loads(text)["next_cursor"])
        api = [
            ("dashboard, 7 days", "dashboard?days=7"), ("dashboard, 30 days", "dashboard?days=30"),
            ("dashboard, 90 days", "dashboard?days=90"), ("users, newest first", "users"),
            ("users, latest sign-in first", "users?sort=-last_sign_in_at"), ("users, suspended", "users?status=suspended"),
            ("users, second page of 200", f"users?sort=created_at&limit=200&cursor={cursor}"),
            ("users, by whole phone", f"users?search={quoted(phone)}"),
            ("users, by the beginning of a phone", f"users?search={quoted(phone[:8])}"),
            ("users, by country", "users?search=%2B91"), ("users, by id", f"users?search={user}"),
            ("users, by a name that many have", "users?search=sharma"), ("users, by a whole name", "users?search=asha%20sharma"),
            ("users, by a name that nobody has", "users?search=xyzzyx"), ("users, by two letters", "users?search=zo"),
            ("users, by name and latest sign-in", "users?search=garc%C3%ADa&sort=-last_sign_in_at"),
            ("users, by a whole name and latest sign-in", "users?search=asha%20sharma&sort=-last_sign_in_at"),
            ("one user", f"users/{user}"), ("messages", "messages"), ("messages of a phone", f"messages?phone={quoted(phone)}"),
            ("destinations", "destinations"), ("audit log", "audit-log"),
            ("audit log, one action", "audit-log?action=operator.signed_in"), ("operators", "admins"), ("caches", "cache"),
        ]
        pages = [
            ("dashboard, 7 days", "/?days=7"), ("dashboard, 30 days", "/"), ("dashboard, 90 days", "/?days=90"),
            ("users", "/users"), ("users, suspended", "/users?status=suspended"),
            ("users, latest sign-in first", "/users?sort=-last_sign_in_at"), ("one user", f"/users/{user}"),
            ("messages", "/messages"), ("destinations", "/destinations"), ("audit log", "/audit"), ("operators", "/operators"),
            ("caches", "/caches"), ("account", "/account"),
        ]
        return [(name, f"/v1/admin/{path}", False) for name, path in api] + [(name, path, True) for name, path in pages]

    def measure(self):
        """The median milliseconds of each question, cold and warm, by its name and kind."""
        rounds = 5 if self.bench.quick else 21
        results = {}
        for name, path, is_page in self.questions():
            cold, warm = [], []
            self.browser.warm_up(path, is_page)
            for _ in range(rounds):
                self.browser.ask("DELETE", "/v1/admin/cache")
                cold.append(self.browser.ask("GET", path, is_page)[0])
                warm += [self.browser.ask("GET", path, is_page)[0] for _ in range(5)]
            result = statistics.median(cold), statistics.median(warm), max(cold)
            results[name, is_page] = result
            say(f"  {self.users:>10,} {'page' if is_page else 'JSON'} {name}: cold {result[0]:.1f} ms, warm {result[1]:.2f} ms")
        return results

    def agree(self):
        """The milliseconds until another instance shows what was done through this one, by kind of change."""
        return agreement.measure(self, Browser, 5 if self.bench.quick else 25)

    def stop(self):
        for service in (self.admin, self.otp, self.user):
            service.process.terminate()
            service.process.wait(timeout=40)
            self.bench.services.running.remove(service.process)


def measure(bench, sizes, only_make):
    """The results of each size; over the first also how soon instances agree. The databases are made first, so that nothing else happens while it is measured."""
    for users in sizes:
        Databases(bench, users).make()
    results = {}
    if only_make:
        return results
    bench.simulator = bench.services.start_simulator()
    for users in sizes:
        say(f"Asking a console of {users:,} users")
        console = Console(bench, users)
        console.start()
        results[users] = console.measure()
        if users == sizes[0]:
            bench.agreement = console.agree()
        console.stop()
    return results


def within(times, factor):
    """Whether it took no longer than it may, so many times."""
    cold, warm, _ = times
    return cold <= factor * BAR_COLD and warm <= factor * BAR_WARM


def report(bench, results, environment):
    """The page docs/benchmarks-console.md."""
    sizes = list(results)
    middle = 1_000_000 if 1_000_000 in sizes else sizes[-1]
    questions = list(results[middle])
    head = " | ".join(f"cold, {size:,} | warm" for size in sizes)
    lines = []
    for question in questions:
        name, is_page = question
        cells = " | ".join(f"{results[size][question][0]:.1f} | {results[size][question][1]:.2f}" for size in sizes)
        reached = all(within(results[size][question], 2 if size > middle else 1) for size in sizes if size >= middle)
        lines.append(f"| {'page' if is_page else 'JSON'} | {name} | {cells} | {'yes' if reached else '**no**'} |")
    table = "\n".join(lines)
    return f"""# Benchmarks of the console

Written by `scripts/benchmark.sh --console`; the numbers are of the machine that it ran on. {environment}
Milliseconds until the whole answer is there, over one connection that stays open: medians of {5 if bench.quick else 21} rounds. Cold: the
caches of admin-service were emptied (`DELETE /v1/admin/cache`) just before; what PostgreSQL keeps in memory stays, for which each was
asked once before. Warm: the same again, five times a round. The people are those of `postkey-seed`; a million has as many messages over 90 days, of which otp-service
keeps the rows of 30.

To reach, at {middle:,} users: {BAR_COLD} ms cold and {BAR_WARM} ms warm; at ten times as many, twice that.

| kind | what | {head} | reached |
|---|---|{"---|" * (2 * len(sizes))}---|
{table}

{figures(results, sizes, middle)}{agreement.row(bench.agreement)}
"""


def figures(results, sizes, middle):
    """Figures 11 and 12."""
    lines = ["| # | figure | value | must | aim |", "|---|---|---|---|---|"]
    pick = lambda size: {key: value for key, value in results[size].items() if "dashboard" in key[0] or "user" in key[0]}
    if len(sizes) > 1:
        small, large = pick(sizes[0]), pick(sizes[-1])
        # A page that takes a millisecond may take two: what people wait for is compared, not noise.
        ratios = {key: large[key][0] / max(small[key][0], 5) for key in large}
        worst = max(ratios, key=ratios.get)
        lines.append(
            f"| 11 | dashboard and users, cold, {sizes[-1]:,} ÷ {sizes[0]:,} users: median over what is asked; worst | "
            f"{statistics.median(ratios.values()):.2f}; {ratios[worst]:.2f} ({worst[0]}) | 2 | 1.2 |")
    warm = pick(middle)
    lines.append(
        f"| 12 | the same, warm, {middle:,} users: median | {statistics.median(value[1] for value in warm.values()):.2f} ms | 1 ms | 0.5 ms |")
    lines.append(
        f"| 12 | cold ÷ warm, {middle:,} users: median; least | {statistics.median(value[0] / value[1] for value in warm.values()):.1f}; "
        f"{min(value[0] / value[1] for value in warm.values()):.1f} | 5 | 20 |")
    return "\n".join(lines) + "\n"
