"""The three services, the simulator and a PostgreSQL of their own, for as long as the browser tests run.

Everything is made in a temporary directory, on free ports, and gone afterwards. The executables are those that
`swift build` made.
"""

import base64
import contextlib
import glob
import hashlib
import hmac
import json
import os
import pwd
import re
import secrets
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

SERVICES = ("otp-service", "user-service", "admin-service")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def program(name):
    """A PostgreSQL program, from the PATH or from where Debian puts the servers."""
    found = shutil.which(name) or next(iter(sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), reverse=True)), None)
    if not found:
        raise SystemExit(f"{name} is missing: install PostgreSQL's server.")
    return found


class Cluster:
    """One private PostgreSQL server, run by the user `postgres` where this is root, which it refuses to run as."""

    def __init__(self, folder):
        self.port = free_port()
        self.data = os.path.join(folder, "data")
        self.user = "postgres" if os.geteuid() == 0 else None
        if self.user:
            os.chown(folder, pwd.getpwnam(self.user).pw_uid, -1)
        self._run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-p {self.port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._run("pg_ctl", "-D", self.data, "-o", options, "-l", os.path.join(folder, "postgres.log"), "-w", "start")

    def _run(self, name, *arguments):
        subprocess.run([program(name), *arguments], user=self.user, check=True, stdout=subprocess.DEVNULL, cwd="/")

    def url(self, database):
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def execute(self, database, script):
        """Runs SQL; gives the lines of its answer."""
        command = [program("psql"), self.url(database), "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", script]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()

    def stop(self):
        self._run("pg_ctl", "-D", self.data, "-m", "immediate", "stop")


class Authenticator:
    """What an operator's phone does with the address that was printed once (RFC 6238)."""

    def __init__(self, uri):
        secret = re.search(r"secret=([A-Z2-7]+)", uri).group(1)
        self.key = base64.b32decode(secret + "=" * (-len(secret) % 8))
        self.last = 0

    def code(self):
        """The present code; waits for the next one if that was given out before, since no code is taken twice."""
        while True:
            step = int(time.time()) // 30
            if step > self.last:
                break
            time.sleep(0.5)
        self.last = step
        mac = hmac.new(self.key, struct.pack(">q", step), hashlib.sha1).digest()
        offset = mac[-1] & 15
        number = struct.unpack(">I", mac[offset : offset + 4])[0] & 0x7FFFFFFF
        return f"{number % 1_000_000:06d}"


class Stand:
    def __init__(self, executables):
        self.executables = executables
        self.folder = tempfile.mkdtemp(prefix="postkey-browser-")
        os.chmod(self.folder, 0o755)
        self.processes = {}
        self.cluster = Cluster(self.folder)
        self.ports = {name: free_port() for name in (*SERVICES, "msg91-simulator")}
        self.secrets = {
            "JWT_SECRET_KEY": secrets.token_hex(32),
            "OTP_SECRET_KEY": secrets.token_hex(32),
            "MSG91_AUTH_KEY": "key" + secrets.token_hex(10),
            "MSG91_TEMPLATE_ID": secrets.token_hex(12),
        }

    def url(self, name):
        return f"http://127.0.0.1:{self.ports[name]}"

    def database(self, name):
        return {"otp-service": "otp", "user-service": "users", "admin-service": "admin"}[name]

    def environment(self, name):
        values = dict(self.secrets)
        values |= {
            "PATH": os.environ["PATH"], "HOST": "127.0.0.1", "PORT": str(self.ports[name]), "DATABASE_POOL_SIZE": "8",
            "LOG_FORMAT": "json", "USER_SERVICE_URL": self.url("user-service"),
            "OTP_SERVICE_URL": self.url("otp-service"), "MSG91_BASE_URL": self.url("msg91-simulator"),
            "TRUSTED_PROXIES": "127.0.0.0/8,::1/128", "OTP_SENDS_PER_NETWORK": "10000/300",
            "OTP_REQUESTS_PER_NETWORK": "100000/300", "OTP_SENDS_PER_PREFIX": "10000/3600",
            "OTP_SENDS_PER_PHONE": "1000/3600", "OTP_RESEND_COOLDOWNS": "1", "OTP_FRAUD_GUARD": "record",
            "DEFAULT_REGION": "IN", "CACHE_DASHBOARD_TTL": "1", "CACHE_USERS_TTL": "1",
        }
        if name in SERVICES:
            values["DATABASE_URL"] = self.cluster.url(self.database(name))
        return values

    def command(self, name, *arguments):
        """Runs a command of a service; gives what it printed."""
        result = subprocess.run(
            [os.path.join(self.executables, name), *arguments], env=self.environment(name), cwd="/",
            capture_output=True, text=True)
        if result.returncode != 0:
            raise SystemExit(f"{name} {' '.join(arguments)} failed: {result.stdout}{result.stderr}")
        return result.stdout

    def prepare(self):
        for name in SERVICES:
            self.cluster.execute("postgres", f"CREATE DATABASE {self.database(name)}")
            self.command(name, "migrate")

    def start(self, name):
        log = open(os.path.join(self.folder, f"{name}.log"), "ab")
        self.processes[name] = subprocess.Popen(
            [os.path.join(self.executables, name)], env=self.environment(name), cwd="/", stdout=log, stderr=log)
        path = "/health/live" if name == "msg91-simulator" else "/health/ready"
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                with urllib.request.urlopen(self.url(name) + path, timeout=2) as answer:
                    if answer.status == 200:
                        return
            time.sleep(0.1)
        raise SystemExit(f"{name} did not become ready; its log is {log.name}")

    def end(self, name):
        process = self.processes.pop(name)
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def operator(self, phone, role):
        """Adds an operator; gives their authenticator."""
        return Authenticator(self.command("admin-service", "create-admin", "--phone", phone, "--role", role))

    def call(self, name, method, path, body=None, token=None):
        """Calls an endpoint with JSON; gives status and answer."""
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(
            self.url(name) + path, method=method, headers=headers,
            data=None if body is None else json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            text = error.read()
            return error.code, json.loads(text) if text else None

    def code_for(self, phone):
        """The code that was sent to a phone last, from the simulator's inbox."""
        end = time.monotonic() + 15
        while time.monotonic() < end:
            _, messages = self.call("msg91-simulator", "GET", f"/messages?mobile={phone.lstrip('+')}")
            if messages:
                return messages[0]["otp"]
            time.sleep(0.1)
        raise AssertionError(f"no message for {phone[:5]}…")

    def forget_messages(self):
        self.call("msg91-simulator", "DELETE", "/messages")

    def sign_in_user(self, phone, name):
        """A person signs in through the services, and gives a name; gives the access token."""
        _, challenge = self.call("otp-service", "POST", "/v1/otp/send", {"phone": phone})
        _, proof = self.call(
            "otp-service", "POST", "/v1/otp/verify",
            {"challenge_id": challenge["challenge_id"], "code": self.code_for(phone)})
        _, session = self.call(
            "user-service", "POST", "/v1/auth/login",
            {"verification_token": proof["verification_token"], "device_name": f"{name.split()[0]}'s phone"})
        self.call("user-service", "PATCH", "/v1/users/me", {"display_name": name}, token=session["access_token"])
        return session["access_token"]

    def stop(self):
        for name in list(self.processes):
            self.end(name)
        self.cluster.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
