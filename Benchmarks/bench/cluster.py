"""A private PostgreSQL with durable settings, on a Unix socket."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

PORT = 6599
CLIENTS = (4, 8, 16)
STATEMENTS = pathlib.Path(__file__).resolve().parent.parent / "statements"


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise SystemExit(f"{command[0]} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout


class Cluster:
    def __init__(self, binaries, folder=None):
        """`folder`: is kept, and used as it is if there is a server's data in it; else a new one, which is removed."""
        self.binaries, self.is_kept = binaries, folder is not None
        self.folder = str(folder) if folder else tempfile.mkdtemp(prefix="postkey-bench-", dir="/tmp")
        os.makedirs(self.folder, exist_ok=True)
        self.as_user = []
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
            self.as_user = ["runuser", "-u", "postgres", "--"]

    def program(self, name):
        return str(self.binaries / name)

    def start(self):
        data = f"{self.folder}/data"
        if not os.path.exists(f"{data}/PG_VERSION"):
            run(*self.as_user, self.program("initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale",
                cwd=self.folder)
        settings = "-c listen_addresses='' -c shared_buffers=1GB -c max_connections=150 -c max_wal_size=8GB"
        run(*self.as_user, self.program("pg_ctl"), "-D", data, "-w", "-s", "-l", f"{self.folder}/log",
            "-o", f"-p {PORT} -k {self.folder} {settings}", "start", cwd=self.folder)

    def stop(self):
        mode = "fast" if self.is_kept else "immediate"
        subprocess.run([*self.as_user, self.program("pg_ctl"), "-D", f"{self.folder}/data", "-m", mode, "-s", "stop"],
                       cwd=self.folder, check=False)
        if not self.is_kept:
            shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database):
        return f"postgresql:///{database}?host={self.folder}&port={PORT}&user=postgres"

    def create(self, database):
        self.sql("postgres", f"CREATE DATABASE {database}")

    def sql(self, database, script):
        return run("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", self.url(database), "-c", script)

    def copy(self, database, table, rows):
        run("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", self.url(database), "-c", f"COPY {table} FROM STDIN",
            input="".join("\t".join(map(str, row)) + "\n" for row in rows))

    def pgbench(self, database, clients, seconds, *arguments):
        output = run(self.program("pgbench"), "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(seconds),
                     "-h", self.folder, "-p", str(PORT), "-U", "postgres", *arguments, database)
        return float(re.search(r"tps = ([0-9.]+)", output).group(1))

    def best_pgbench(self, database, seconds, *arguments):
        return max(self.pgbench(database, clients, seconds, *arguments) for clients in CLIENTS)

    def statement(self, database, name, clients, seconds):
        return self.pgbench(database, clients, seconds, "-f", str(STATEMENTS / name))

    def fsync(self):
        """Durable writes of 8 kB each second, by pg_test_fsync's fdatasync."""
        output = run(self.program("pg_test_fsync"), "-s", "1", "-f", f"{self.folder}/fsync")
        return float(re.search(r"fdatasync\s+([0-9.]+) ops/sec", output).group(1))
