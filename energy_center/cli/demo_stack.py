"""The processes of a demo and the order in which they start and stop."""

import asyncio
import errno
import fcntl
import json
import os
import secrets
import shutil
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from zoneinfo import ZoneInfo

from energy_center.cli import out
from energy_center.cli.demo_duties import give_duties
from energy_center.cli.demo_measure import DemoMeasure, enter_measure, remembered_measure
from energy_center.cli.processes import Child, start_child, stop_child, wait_for_file
from energy_center.config.load_site import load_site
from energy_center.domain.people import Actor, UserRole
from energy_center.domain.site import Site
from energy_center.domain.timeline import local_date
from energy_center.errors import DatabaseAway, EnvironmentProblem, NotFound
from energy_center.services.current_site import current_site
from energy_center.services.users import create_user, list_users
from energy_center.settings import PROJECT_ROOT
from energy_center.store.embedded import EmbeddedPostgres
from energy_center.store.migrate import migrate
from energy_center.store.pool import Database
from energy_center.store.progress import read_progress
from energy_center.store.site import apply_site

SITE_FILE = PROJECT_ROOT / "energy_center" / "config" / "demo" / "taichung.yaml"
SIMULATED_SITE = PROJECT_ROOT / "simulators" / "sites" / "taichung.yaml"
ACTOR = Actor("system:demo", "local")

# name, password, role, language. They exist in the demo's own database alone; `serve` refuses them elsewhere.
DEMO_USERS: tuple[tuple[str, str, UserRole, str], ...] = (
    ("viewer", "view-demo", UserRole.VIEWER, "zh-TW"),
    ("operator", "operate-demo", UserRole.OPERATOR, "zh-TW"),
    ("technician", "repair-demo", UserRole.TECHNICIAN, "zh-TW"),
    ("manager", "manage-demo", UserRole.MANAGER, "zh-TW"),
    ("admin", "admin-demo", UserRole.ADMIN, "zh-TW"),
)
NEEDED_BYTES = 500 * 2**20
HISTORY_BYTES = 3 * 2**30
READY_S = 90.0


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """What the person asked for."""

    state_dir: Path
    port: int
    seed: int
    faults: tuple[str, ...]
    history: bool
    database_url: str | None


@dataclass(slots=True)
class DemoStack:
    """Starts, watches and stops everything; `start` may be cancelled at any await."""

    plan: DemoPlan
    begun_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    address: str = ""
    dsn: str = ""
    site: Site | None = None
    history: bool = False
    measure: DemoMeasure | None = None
    children: dict[str, Child] = field(default_factory=dict)
    _start_again: dict[str, Callable[[], Awaitable[Child]]] = field(default_factory=dict)
    _postgres: EmbeddedPostgres | None = None
    _lock: IO[str] | None = None
    _database: Database | None = None
    _control: tuple[str, int] = ("", 0)

    @property
    def database(self) -> Database:
        """The open database of a started stack."""
        if self._database is None:
            raise DatabaseAway("the demo's database is not open")
        return self._database

    @property
    def postmaster_pid(self) -> int | None:
        """Process id of the embedded database, None when another one is used."""
        return self._postgres.pid if self._postgres is not None else None

    @property
    def run_dir(self) -> Path:
        """Where the running processes leave their addresses."""
        return self.plan.state_dir / "run"

    @property
    def endpoints_file(self) -> Path:
        """Where the simulators say at which ports their devices answer."""
        return self.run_dir / "endpoints.json"

    async def start(self) -> None:
        """From nothing to the first live value in the database and an answering server."""
        self._take_lock()
        self.history = _enough_space(self.plan)
        _port_is_free(self.plan.port)
        shutil.rmtree(self.run_dir, ignore_errors=True)
        self.run_dir.mkdir(parents=True)
        self.measure = remembered_measure(self.plan.state_dir, self.begun_at) if self.history else None
        _phase("database")
        simulating = asyncio.ensure_future(self._keep("simulators", self._start_simulators))
        try:
            await self._start_database()
        finally:
            await simulating
        _phase("simulated devices")
        await self._learn_endpoints()
        _phase("site, collectors, rules, server")
        await self._create_users()
        await self._apply_site()
        await self._give_duties()
        if self.measure is not None:
            await enter_measure(self.database, self.measure, self.begun_at)
        for name in ("collectors", "worker", "server"):
            await self._keep(name, self._starter(name))
        ready = await wait_for_file(self.run_dir / "server.json", self.children["server"], READY_S)
        self.address = f"http://127.0.0.1:{json.loads(ready)['port']}"
        await self._first_live_value()
        if self.history:
            await self._keep("history", self._starter("history"))

    async def stop(self) -> None:
        """Stop in the reverse order of the start: people first, devices last, then the database."""
        for name in ("history", "server", "worker", "collectors", "simulators", "keeper"):
            if child := self.children.pop(name, None):
                await stop_child(child)
        if self._database is not None:
            await self._database.close()
        if self._postgres is not None:
            await self._postgres.stop()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    async def restart_ended(self) -> None:
        """Start a child again that ended by itself; the history ends by itself when it is complete."""
        if self._postgres is not None and self._postgres.pid is None:
            out.error("the database ended; starting it again")
            await self._postgres.start()
        for name, child in list(self.children.items()):
            code = child.process.returncode
            if code is None or (name == "history" and code == 0):
                continue
            out.error(f"{name} ended with code {code}; starting it again (log: {child.log})")
            self.children.pop(name)
            self.children[name] = await self._start_again[name]()
            if name == "simulators":  # their ports are new: the collectors must learn them
                await self._learn_endpoints()
                await stop_child(self.children["collectors"])

    async def _learn_endpoints(self) -> None:
        text = await wait_for_file(self.endpoints_file, self.children["simulators"], READY_S)
        control = json.loads(text)["control"]
        self._control = (control["host"], control["port"])

    async def start_fault(self, spec: str) -> None:
        """Ask the running simulators for a fault, `name[@equipment]`."""
        name, _, equipment = spec.partition("@")
        await self.control({"do": "fault", "name": name, "equipment": equipment or None})

    async def control(self, request: dict[str, object]) -> dict[str, object]:
        """One request to the simulators' control socket and its answer."""
        async with asyncio.timeout(10):
            reader, writer = await asyncio.open_connection(*self._control)
            try:
                writer.write(json.dumps(request).encode() + b"\n")
                await writer.drain()
                answer = await reader.readline()
            finally:
                writer.close()
                await writer.wait_closed()
        return dict(json.loads(answer))

    async def until_history(self, days: int) -> None:
        """Wait until the newest `days` of the simulated past are in the database."""
        while child := self.children.get("history"):
            progress = await read_progress(self.database, "backfill")
            if progress is not None and float(str(progress.detail.get("days_done", 0))) >= days:
                return
            if child.process.returncode is not None:
                return
            await asyncio.sleep(0.5)

    def _take_lock(self) -> None:
        try:
            self.plan.state_dir.mkdir(parents=True, exist_ok=True)
            self._lock = (self.plan.state_dir / "demo.lock").open("a+")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EnvironmentProblem(
                f"a demo is already running on {self.plan.state_dir}; "
                "stop it, or give this one its own --state-dir"
            ) from None
        except OSError as problem:
            raise EnvironmentProblem(
                f"cannot write to {self.plan.state_dir}: {problem.strerror}"
            ) from problem

    async def _start_database(self) -> None:
        if self.plan.database_url is not None:
            self.dsn = self.plan.database_url
        else:
            self._postgres = EmbeddedPostgres(self.plan.state_dir)
            self.dsn = await self._postgres.start()
            await self._keep("keeper", self._starter("keeper"))
        self._database = await Database.open(self.dsn, min_size=0, max_size=4)
        await migrate(self._database)

    async def _apply_site(self) -> None:
        site = load_site(SITE_FILE).site
        self.site = await apply_site(
            self.database, site, SITE_FILE.read_text(), ACTOR.name, datetime.now(UTC)
        )

    async def _give_duties(self) -> None:
        site, now = await current_site(self.database), datetime.now(UTC)
        await give_duties(self.database, ACTOR, local_date(now, ZoneInfo(site.time_zone)), now)

    async def _create_users(self) -> None:
        accounts = await list_users(self.database)
        if real := [a.user.name for a in accounts if not a.user.is_demo]:
            raise EnvironmentProblem(
                f"DATABASE_URL names a database with real accounts ({', '.join(real[:3])}); "
                "a demo would add its known log-ins to it: give it an empty database"
            )
        there = {a.user.name for a in accounts}
        for name, password, role, language in DEMO_USERS:
            if name not in there:
                await create_user(
                    self.database,
                    name=name,
                    display_name=name.capitalize(),
                    password=password,
                    role=role,
                    language=language,
                    actor=ACTOR,
                    now=datetime.now(UTC),
                    is_demo=True,
                )

    async def _keep(self, name: str, starter: Callable[[], Awaitable[Child]]) -> None:
        self._start_again[name] = starter
        self.children[name] = await starter()

    async def _start_simulators(self) -> Child:
        self.endpoints_file.unlink(missing_ok=True)
        return await self._start("simulators")

    def _starter(self, name: str) -> Callable[[], Awaitable[Child]]:
        return lambda: self._start(name)

    async def _start(self, name: str) -> Child:
        argv = [sys.executable, "-m", *self._arguments(name)]
        return await start_child(name, argv, self._environment(), self._log(name))

    def _arguments(self, name: str) -> list[str]:
        endpoints, simulated, seed = str(self.endpoints_file), str(SIMULATED_SITE), str(self.plan.seed)
        match name:
            case "simulators":
                live = ["simulators", "live", "--site", simulated, "--seed", seed, "--control", "127.0.0.1:0"]
                faults = [word for fault in self.plan.faults for word in ("--fault", fault)]
                past = ["--past-fault", self.measure.fault] if self.measure is not None else []
                return [*live, "--endpoints", endpoints, *faults, *past]
            case "collectors":
                site = ["collectors", "--site", str(SITE_FILE), "--endpoints", endpoints]
                return [*site, "--state-dir", str(self.plan.state_dir)]
            case "keeper":
                return ["energy_center.cli.keep_database", str(self.plan.state_dir)]
            case "worker":
                return ["energy_center", "worker"]
            case "server":
                ready = str(self.run_dir / "server.json")
                return ["energy_center", "serve", "--port", str(self.plan.port), "--ready-file", ready]
            case "history":
                past = ["--fault", self.measure.fault] if self.measure is not None else []
                return ["energy_center", "backfill", "--simulated-site", simulated, "--seed", seed, *past]
            case _:
                raise NotFound(f"the demo has no process {name!r}")

    def _log(self, name: str) -> Path:
        return self.plan.state_dir / "logs" / f"{name}.log"

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DATABASE_URL": self.dsn,
            "ENERGY_CENTER_MODE": "demo",
            "ENERGY_CENTER_SECRET": _secret(self.plan.state_dir / "secret"),
            "ENERGY_CENTER_STATE_DIR": str(self.plan.state_dir),
            "ENERGY_CENTER_SITE_FILE": str(SITE_FILE),
            "PYTHONUNBUFFERED": "1",
        }

    async def _first_live_value(self) -> None:
        """Until a reading that came over a socket since now is stored."""
        since = datetime.now(UTC)
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            async with self.database.connection() as connection:
                if await connection.fetchval("SELECT EXISTS (SELECT FROM latest WHERE ts >= $1)", since):
                    return
            if self.children["collectors"].process.returncode is not None:
                raise EnvironmentProblem(f"the collectors stopped:\n{self.children['collectors'].tail()}")
            await asyncio.sleep(0.1)
        raise EnvironmentProblem(f"no live value after {READY_S:.0f} s; see {self._log('collectors')}")


def _phase(text: str) -> None:
    out.error(f"  … {text}")


def _secret(path: Path) -> str:
    """The demo's own cookie secret, made once."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48))
    return path.read_text()


def _enough_space(plan: DemoPlan) -> bool:
    """Whether the history fits; raises when not even the live part does."""
    free = shutil.disk_usage(plan.state_dir).free
    if free < NEEDED_BYTES:
        raise EnvironmentProblem(
            f"{plan.state_dir} has {free / 2**20:.0f} MB free; the demo needs {NEEDED_BYTES / 2**20:.0f} MB"
        )
    if plan.history and free < HISTORY_BYTES:
        out.error(
            f"{plan.state_dir} has {free / 2**30:.1f} GB free; 13 months of history need "
            f"{HISTORY_BYTES / 2**30:.1f} GB and are left out"
        )
        return False
    return plan.history


def _port_is_free(port: int) -> None:
    if port == 0:
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as problem:
            if problem.errno != errno.EADDRINUSE:
                raise EnvironmentProblem(f"port {port}: {problem.strerror}") from problem
            raise EnvironmentProblem(
                f"port {port} is in use; choose another with --port (make demo ARGS='--port 8060')"
            ) from None
