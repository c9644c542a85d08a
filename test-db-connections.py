#!/usr/bin/env python3
"""Connects to the database of each service and prints what answers: PostgreSQL's version, the schema's version, the time.

Needs Python 3 and `psql`, nothing else. Reads the environment over .env, as the services do. Exit code: 0 when every
database answered, 1 when one did not, 2 for a mistake on the command line.
"""

import argparse
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode

ROOT = Path(__file__).resolve().parent
VARIABLES = {
    "otp-service": "OTP_DATABASE_URL",
    "user-service": "USER_DATABASE_URL",
    "admin-service": "ADMIN_DATABASE_URL",
}
SECONDS = 5
# The time is measured inside one connection, so that starting psql does not count.
SCRIPT = r"""
\pset tuples_only on
\pset format unaligned
select 'server=' || current_setting('server_version');
select to_regclass('schema_migrations') is not null as migrated \gset
\if :migrated
select 'schema=' || coalesce(max(version), 0) from schema_migrations;
\endif
\timing on
select 1;
select 1;
select 1;
"""


def dotenv(path):
    """The variables of a .env file: KEY=value, the last line wins, no quoting."""
    values = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return values
    for line in lines:
        name, equals, value = line.strip().partition("=")
        if equals and name.strip() and not name.startswith("#"):
            values[name.strip()] = value.strip()
    return values


def take_password(url):
    """The URL as it may be shown and put on a command line, and the password that was in it."""
    scheme, _, rest = url.partition("://")
    end = min((rest.find(mark) for mark in "/?" if mark in rest), default=len(rest))
    authority, tail = rest[:end], rest[end:]
    login, at, hosts = authority.rpartition("@")
    user, colon, password = login.partition(":")
    password = unquote(password) if colon else None
    path, question, query = tail.partition("?")
    if "password=" in query:
        pairs = parse_qsl(query, keep_blank_values=True)
        password = next((value for name, value in pairs if name == "password"), password)
        query = urlencode([pair for pair in pairs if pair[0] != "password"], quote_via=quote)
    return f"{scheme}://{user}{at}{hosts}{path}{question if query else ''}{query}", password


def find_psql():
    """The path of psql; Debian's own folders first, since its psql on the PATH is a slow wrapper around them."""
    folders = glob.glob("/usr/lib/postgresql/*/bin/psql")
    return max(folders, key=lambda path: float(path.split("/")[4]), default=None) or shutil.which("psql")


def plain(message, password):
    """The message of psql on one line, and without the password, should it ever be in there."""
    text = " ".join(message.split())
    text = re.sub(r"^psql: error: ", "", text)
    return text.replace(password, "…") if password else text


def measure(psql, url):
    """What one database answers, as a dictionary; `error` is there when it does not."""
    shown, password = take_password(url)
    environment = dict(os.environ, PGCONNECT_TIMEOUT=str(SECONDS), PGAPPNAME="test-db-connections")
    if password:
        environment["PGPASSWORD"] = password
    result = {"database": shown}
    began = time.monotonic()
    try:
        answer = subprocess.run(
            [psql, "-X", "-w", "-v", "ON_ERROR_STOP=1", "-d", shown],
            input=SCRIPT, env=environment, capture_output=True, text=True, timeout=SECONDS,
        )
    except subprocess.TimeoutExpired:
        return dict(result, error=f"no answer within {SECONDS} s")
    result["seconds"] = round(time.monotonic() - began, 3)
    if answer.returncode != 0:
        return dict(result, error=plain(answer.stderr, password) or f"psql ended with {answer.returncode}")
    return result | read_answers(answer.stdout)


def read_answers(output):
    """The values in what SCRIPT printed."""
    server = re.search(r"^server=(\S+)", output, re.MULTILINE)
    schema = re.search(r"^schema=(\d+)", output, re.MULTILINE)
    times = [float(text) for text in re.findall(r"^Time: ([0-9.]+) ms", output, re.MULTILINE)]
    return {
        "server": server.group(1) if server else None,
        "schema": int(schema.group(1)) if schema else None,
        "round_trip_ms": min(times) if times else None,
    }


def check(services):
    """The results of all services, by name."""
    settings = dotenv(ROOT / ".env") | {name: value for name, value in os.environ.items() if value}
    psql = find_psql()
    results = {}
    for service in services:
        variable = VARIABLES[service]
        url = settings.get(variable) or settings.get("DATABASE_URL")
        if not url:
            results[service] = {"error": f"{variable} is not set: run ./start-services.sh once, or set it"}
        elif not url.startswith(("postgres://", "postgresql://")):
            results[service] = {"error": f"{variable} does not begin with postgresql://"}
        elif psql is None:
            results[service] = {"error": "psql is missing: install the package postgresql-client"}
        else:
            results[service] = measure(psql, url)
    return results


def print_table(results):
    """One line a service, and one more for each that failed."""
    lines = [("service", "state", "PostgreSQL", "schema", "round trip", "database")]
    for service, result in results.items():
        failed = "error" in result
        trip = result.get("round_trip_ms")
        schema = result.get("schema")
        lines.append((
            service,
            "FAILED" if failed else "ok",
            result.get("server") or "-",
            "-" if failed else "none" if schema is None else str(schema),
            "-" if trip is None else f"{trip:.2f} ms",
            result.get("database", "-"),
        ))
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip())
    for service, result in results.items():
        if "error" in result:
            print(f"{service}: {result['error']}", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description="Connects to the database of each service and prints what answers.")
    parser.add_argument("--service", action="append", choices=sorted(VARIABLES), help="only this one (may be repeated)")
    parser.add_argument("--json", action="store_true", help="the results as JSON")
    arguments = parser.parse_args()
    results = check(arguments.service or list(VARIABLES))
    if arguments.json:
        print(json.dumps(results, indent=2))
    else:
        print_table(results)
    return 1 if any("error" in result for result in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
