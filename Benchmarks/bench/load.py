"""Loads made by wrk with the scripts in Benchmarks/load, and by postkey-benchmark."""

import os
import pathlib
import re
import subprocess

from bench.cluster import run

LOADS = pathlib.Path(__file__).resolve().parent.parent / "load"
CONNECTIONS = 128


class Result:
    def __init__(self, output, name, expected_failures):
        failed, total = map(int, re.search(r"failed (\d+) of (\d+)", output).groups())
        wrong = total - failed if expected_failures else failed
        if total == 0 or wrong * 100 > total:
            raise SystemExit(f"{name}: {failed} of {total} requests failed, so the figure would mean nothing")
        self.per_second = float(re.search(r"per_second ([0-9.]+)", output).group(1))
        latency = re.search(r"p50 ([0-9.]+) p99 ([0-9.]+)", output)
        self.p50, self.p99 = map(float, latency.groups()) if latency else (None, None)


def command(script, port, seconds, connections):
    return ["wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s", "--timeout", "10s",
            "-s", str(LOADS / f"{script}.lua"), f"http://127.0.0.1:{port}"]


def variables(rate, connections, files):
    return {**os.environ, **files, "POSTKEY_LOADS": str(LOADS), "POSTKEY_RATE": str(rate or 0),
            "POSTKEY_CONNECTIONS": str(connections)}


def wrk(script, port, seconds, connections=CONNECTIONS, rate=None, refused=False, **files):
    """As many requests as can be had, or `rate` a second; `refused`: every answer is to be an error."""
    output = run(*command(script, port, seconds, connections), env=variables(rate, connections, files))
    return Result(output, script, refused)


class Background:
    """A load that goes on while something else is done."""

    def __init__(self, script, port, seconds, rate, connections=32, **files):
        self.name = script
        self.process = subprocess.Popen(
            command(script, port, seconds, connections), env=variables(rate, connections, files),
            stdout=subprocess.PIPE, text=True)

    def result(self):
        output, _ = self.process.communicate()
        return Result(output, self.name, False)


def sign_ins(binaries, services, seconds, clients=32):
    output = run(str(binaries / "postkey-benchmark"), "sign-in", "--otp-port", str(services.otp_port), "--user-port",
                 str(services.user_port), "--clients", str(clients), "--seconds", str(seconds), env=services.environment)
    return Result(output, "sign-in", False).per_second


def reads(binaries, url, connections, tasks, seconds):
    return float(run(str(binaries / "postkey-benchmark"), "reads", "--url", url, "--keys", "1000000", "--connections",
                     str(connections), "--tasks", str(tasks), "--seconds", str(seconds)))
