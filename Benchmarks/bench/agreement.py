"""How soon one instance of admin-service shows what was done through another."""

import itertools
import json
import statistics
import time

from bench.figures import say
from bench.services import free_port


class Pair:
    """The console's instance, and one more beside it over the same database, both with the same operator."""

    def __init__(self, console, browser):
        services = console.bench.services
        self.process = services.start("admin-service", console.databases.names["admin"], free_port())
        self.first, self.second = console.browser, browser(self.process.port)
        self.second.token = self.first.token

    def seen(self, path):
        return json.loads(self.second.ask("GET", path)[1])

    def change(self, path, body, holds):
        """The milliseconds from the answer at the first instance until the second says so too; it is asked before, so that it remembers."""
        holds()
        self.first.ask("POST", path, body=body)
        begin = time.perf_counter()
        while not holds():
            if time.perf_counter() - begin > 5:
                raise SystemExit(f"{path}: the other instance does not know after five seconds")
            time.sleep(0.001)
        return (time.perf_counter() - begin) * 1000

    def user(self, id, action, status):
        return self.change(f"/v1/admin/users/{id}/{action}", {"reason": "a benchmark"},
                           lambda: self.seen(f"/v1/admin/users/{id}")["status"] == status)

    def destination(self, prefix, action, state):
        def holds():
            board = self.seen("/v1/admin/destinations")["destinations"]
            return any(item["prefix"] == prefix and item["state"] == state for item in board)
        return self.change(f"/v1/admin/destinations/{prefix}/{action}", {"reason": "a benchmark"}, holds)

    def role(self, phone, role):
        return self.change("/v1/admin/admins", {"phone": phone, "role": role},
                           lambda: any(admin["role"] == role and admin["phone"].endswith(phone[-3:])
                                       for admin in self.seen("/v1/admin/admins")["admins"]))

    def audit(self, prefix, action):
        newest = lambda: self.seen("/v1/admin/audit-log?limit=1")["entries"][0]["id"]
        before = newest()
        return self.change(f"/v1/admin/destinations/{prefix}/{action}", {"reason": "a benchmark"}, lambda: newest() != before)


def measure(console, browser, rounds):
    """The milliseconds of each change, by its kind: at least a hundred changes with 25 rounds."""
    pair = Pair(console, browser)
    ids = [user["id"] for user in pair.seen(f"/v1/admin/users?status=active&limit={rounds}")["users"]]
    destinations = itertools.cycle([("block", "blocked"), ("allow", "allowed")])
    roles = itertools.cycle(["viewer", "support"])
    audits = itertools.cycle(["allow", "block"])
    times = {"user": [], "destination": [], "operator": [], "audit log": []}
    for id in ids:
        times["user"].append(pair.user(id, "suspend", "suspended"))
        times["user"].append(pair.user(id, "reactivate", "active"))
        times["destination"].append(pair.destination("ZW", *next(destinations)))
        times["operator"].append(pair.role("+919876500099", next(roles)))
        times["audit log"].append(pair.audit("ZM", next(audits)))
    pair.process.process.terminate()
    pair.process.process.wait(timeout=40)
    console.bench.services.running.remove(pair.process.process)
    return times


def row(times):
    """Figure 14, for the console."""
    every = [value for values in times.values() for value in values]
    p99 = statistics.quantiles(every, n=100, method="inclusive")[98]
    kinds = ", ".join(f"{kind} {statistics.median(values):.1f}" for kind, values in times.items())
    say(f"  seen by another instance: p99 {p99:.1f} ms, worst {max(every):.1f} ms; medians: {kinds}")
    return (f"| 14 | what one instance did, seen at another: p99 of {len(every)} changes; worst; medians by kind | "
            f"{p99:.1f} ms; {max(every):.1f} ms; {kinds} | 1 s | 100 ms |")
