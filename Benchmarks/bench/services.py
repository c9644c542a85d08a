"""The services and the simulator, as a person would start them, with the services' own limits."""

import json
import os
import pathlib
import random
import secrets
import signal
import socket
import subprocess
import time
import urllib.request

from bench.cluster import run


def free_port():
    """Below the range of outgoing connections."""
    for port in random.sample(range(20000, 32000), 100):
        with socket.socket() as candidate:
            if candidate.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise SystemExit("no free port")


class Service:
    """One running process."""

    def __init__(self, process, port, seconds_to_ready):
        self.process, self.port, self.seconds_to_ready = process, port, seconds_to_ready

    @property
    def megabytes(self):
        pages = int(pathlib.Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGESIZE") / 1e6

    def request(self, method, path, body=None, headers=None, kind="application/json"):
        """The status and the JSON of the answer."""
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", content, {"Content-Type": kind, **(headers or {})}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        return status, json.loads(text) if text else None


class Services:
    def __init__(self, cluster, folder):
        self.cluster, self.folder = cluster, folder
        self.running = []
        self.otp_key = secrets.token_hex(32)
        self.simulator_port, self.user_port, self.otp_port = free_port(), free_port(), free_port()
        self.environment = {
            "PATH": os.environ["PATH"], "HOST": "127.0.0.1", "LOG_LEVEL": "error", "TRUSTED_PROXIES": "127.0.0.0/8",
            "JWT_SECRET_KEY": secrets.token_hex(32), "OTP_SECRET_KEY": self.otp_key,
            "MSG91_AUTH_KEY": secrets.token_hex(12), "MSG91_TEMPLATE_ID": secrets.token_hex(12),
            "MSG91_WEBHOOK_SECRET": secrets.token_hex(16), "SIMULATOR_FAULT_NUMBERS": "off",
            # Load that never verifies is just what the breakers are there to refuse.
            "OTP_FRAUD_GUARD": "record",
            "MSG91_BASE_URL": f"http://127.0.0.1:{self.simulator_port}",
            "USER_SERVICE_URL": f"http://127.0.0.1:{self.user_port}",
            "OTP_SERVICE_URL": f"http://127.0.0.1:{self.otp_port}",
        }

    def with_database(self, name, database):
        variable = {"otp-service": "OTP", "user-service": "USER", "admin-service": "ADMIN"}[name] + "_DATABASE_URL"
        return {**self.environment, variable: self.cluster.url(database)}

    def migrate(self, name, database):
        run(str(self.folder / name), "migrate", env=self.with_database(name, database), cwd="/")

    def start(self, name, database, port=None, **more):
        self.migrate(name, database)
        return self.launch(name, port or free_port(), "/health/ready", {**self.with_database(name, database), **more})

    def start_simulator(self):
        return self.launch("msg91-simulator", self.simulator_port, "/health/live", self.environment)

    def launch(self, name, port, path, environment):
        begin = time.monotonic()
        process = subprocess.Popen([str(self.folder / name)], env={**environment, "PORT": str(port)}, cwd="/",
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.running.append(process)
        while time.monotonic() - begin < 20:
            if process.poll() is not None:
                raise SystemExit(f"{name} ended with {process.returncode}")
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=1):
                    return Service(process, port, time.monotonic() - begin)
            except OSError:
                time.sleep(0.003)
        raise SystemExit(f"{name} did not become ready")

    def stop(self):
        for process in self.running:
            process.send_signal(signal.SIGTERM)
        for process in self.running:
            process.wait(timeout=40)
