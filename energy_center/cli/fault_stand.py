"""A stand for fault runs: a database, the demo's simulated devices and a collector, each its own process.

Nothing is shared with an installation: everything lives in one temporary folder and on free ports.
"""

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from energy_center.cli.processes import Child, start_child, stop_child, wait_for_file
from energy_center.config.bindings import PointKey, Protocol
from energy_center.config.load_site import load_site
from energy_center.errors import EnvironmentProblem, RetryLater
from energy_center.settings import PROJECT_ROOT
from energy_center.store.counts import reading_instants, readings_per_point
from energy_center.store.embedded import EmbeddedPostgres
from energy_center.store.migrate import migrate
from energy_center.store.pool import Database
from energy_center.store.site import apply_site

SITE_FILE = PROJECT_ROOT / "energy_center" / "config" / "demo" / "taichung.yaml"
SIMULATED_SITE = PROJECT_ROOT / "simulators" / "sites" / "taichung.yaml"
READY_S = 120.0
QUIET_S = 3.0  # longer than any reply under way
SETTLE_S = 90.0

Counts = Counter[PointKey]
Instants = set[tuple[str, str, int]]


class FaultStand:
    """Everything from device to database, to be broken on purpose. Use as an async context manager."""

    def __init__(self) -> None:
        self.plant = load_site(SITE_FILE)
        self.folder = Path(tempfile.mkdtemp(prefix="energy-center-faults-"))
        self.postgres = EmbeddedPostgres(self.folder)
        self._children: dict[str, Child] = {}
        self._db: Database | None = None
        self._control: tuple[str, int] = ("", 0)
        self._starts = 0
        self._sent_before: Counts = Counter()
        self._stored_before: Counts = Counter()

    async def __aenter__(self) -> Self:
        """Start the database and the devices; the collector comes with `start_collector`."""
        try:
            if os.geteuid() == 0:  # the database runs as another account and must reach its own folder
                self.folder.chmod(0o711)
            dsn = await self.postgres.start()
            self._db = await Database.open(dsn, min_size=0, max_size=2)
            await migrate(self._db)
            text = SITE_FILE.read_text(encoding="utf-8")
            await apply_site(self._db, self.plant.site, text, "faults", datetime.now(UTC))
            await self._start_simulators()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop everything and remove the folder."""
        await self._close()

    async def _close(self) -> None:
        for name in ("collector", "simulators"):
            child = self._children.pop(name, None)
            if child is not None:
                await stop_child(child)
        if self._db is not None:
            await self._db.close()
        await self.postgres.stop()
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)

    async def _start_simulators(self) -> None:
        endpoints = self.folder / "endpoints.json"
        words = ["live", "--site", str(SIMULATED_SITE), "--seed", "1", "--control", "127.0.0.1:0"]
        argv = [sys.executable, "-m", "simulators", *words, "--endpoints", str(endpoints)]
        child = await start_child("simulators", argv, os.environ, self.folder / "simulators.log")
        self._children["simulators"] = child
        written = json.loads(await wait_for_file(endpoints, child, READY_S))
        self._control = (written["control"]["host"], int(written["control"]["port"]))

    @property
    def collector(self) -> Child:
        """The collector process."""
        return self._children["collector"]

    @property
    def simulators(self) -> Child:
        """The process of the simulated devices."""
        return self._children["simulators"]

    async def start_collector(self) -> None:
        """Start the collector and wait until it listens to the broker; count from here on.

        Publishers are silent meanwhile: what they say before anyone listens is nobody's loss.
        """
        await self.mute("broker")
        self._sent_before = await self.sent()
        await self.restart_collector()
        await asyncio.sleep(1.0)  # what the broker had retained
        stored = await self.stored()
        self._stored_before = Counter({k: n for k, n in stored.items() if self._sent_before[k]})
        await self.unmute("broker")

    async def restart_collector(self) -> None:
        """Start the collector on the same spool, and wait until it listens to the broker."""
        self._starts += 1
        endpoints = str(self.folder / "endpoints.json")
        words = ["--site", str(SITE_FILE), "--endpoints", endpoints, "--state-dir", str(self.folder)]
        env = {**os.environ, "DATABASE_URL": self.postgres.dsn, "PYTHONUNBUFFERED": "1"}
        log = self.folder / f"collector-{self._starts}.log"
        argv = [sys.executable, "-m", "collectors", *words]
        child = await start_child("collector", argv, env, log)
        self._children["collector"] = child
        async with asyncio.timeout(READY_S):
            while "broker_connected" not in log.read_text(encoding="utf-8"):
                if child.process.returncode is not None:
                    raise EnvironmentProblem(f"the collector stopped:\n{child.tail()}")
                await asyncio.sleep(0.1)

    async def kill_collector(self) -> None:
        """SIGKILL, as the out-of-memory killer would."""
        self.collector.process.kill()
        await self.collector.process.wait()

    async def control(self, **request: object) -> dict[str, object]:
        """One request to the simulators."""
        async with asyncio.timeout(10.0):
            # the count of every point comes as one line
            reader, writer = await asyncio.open_connection(*self._control, limit=16 * 1024**2)
            writer.write(json.dumps(request).encode() + b"\n")
            answer: dict[str, object] = json.loads(await reader.readline())
            writer.close()
            await writer.wait_closed()
        if not answer.get("ok"):
            raise EnvironmentProblem(f"the simulators refuse {request}: {answer.get('error')}")
        return answer

    async def mute(self, connection: str) -> None:
        """Let everything on a connection fall silent."""
        await self.control(do="mute", connection=connection, on=True)

    async def unmute(self, connection: str) -> None:
        """Let it speak again."""
        await self.control(do="mute", connection=connection, on=False)

    async def sent(self) -> Counts:
        """What the devices have sent, by point."""
        answer = await self.control(do="served")
        served = answer["served"]
        if not isinstance(served, dict):
            raise EnvironmentProblem("the simulators do not say what they sent")
        known = {b.key for b in self.plant.bindings}
        counted = {(k.partition("/")[0], k.partition("/")[2]): int(n) for k, n in served.items()}
        return Counter({k: n for k, n in counted.items() if k in known})

    async def stored(self) -> Counts:
        """What the database holds, by point."""
        return Counter(await readings_per_point(self._database))

    async def instants(self) -> Instants:
        """Every stored reading."""
        return await reading_instants(self._database)

    @property
    def _database(self) -> Database:
        if self._db is None:
            raise EnvironmentProblem("the stand is not started")
        return self._db

    async def committed(self) -> Instants:
        """What the dead collector had on disk: in the database or in its spool."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "collectors.spooled",
            str(self.folder / "spool"),
            stdout=asyncio.subprocess.PIPE,
        )
        written, _ = await process.communicate()
        spooled = {(e, p, int(at)) for e, p, at in map(json.loads, written.decode().splitlines())}
        return spooled | await self.instants()

    async def settle(self) -> tuple[Counts, Counts]:
        """Silence every device, wait until nothing more is stored; what was sent and what was stored."""
        for connection in self.plant.connections:
            await self.mute(connection.connection_id)
        await asyncio.sleep(QUIET_S)
        sent = await self.sent() - self._sent_before
        deadline = asyncio.get_running_loop().time() + SETTLE_S
        stored: Counts = Counter()
        unchanged = 0
        while asyncio.get_running_loop().time() < deadline and unchanged < 5:  # noqa: PLR2004  seconds
            before = stored
            try:
                stored = await self.stored() - self._stored_before
            except RetryLater:
                continue
            if stored == sent:
                break
            unchanged = unchanged + 1 if stored == before and stored else 0
            await asyncio.sleep(2.0)
        return sent, stored

    def published(self, counts: Counts) -> Counts:
        """Only the points that come by MQTT."""
        brokers = {c.connection_id for c in self.plant.connections if c.protocol is Protocol.MQTT}
        keys = {b.key for b in self.plant.bindings if b.connection_id in brokers}
        return Counter({k: n for k, n in counts.items() if k in keys})
