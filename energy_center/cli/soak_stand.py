"""A stand for long runs: 10,400 points of 800 meters behind 200 gateways, a database, and a collector.

Each is its own process; everything lives in one temporary folder and on free ports.
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
from energy_center.config.load_site import load_site
from energy_center.errors import EnvironmentProblem, RetryLater
from energy_center.store.counts import newest_age_s, readings_per_point
from energy_center.store.embedded import EmbeddedPostgres
from energy_center.store.migrate import migrate
from energy_center.store.pool import Database
from energy_center.store.site import apply_site

GATEWAYS, METERS = 200, 4
INTERVAL_S = 10
READY_S = 120.0
_SITE = """\
site: {{id: soak, name: {{zh-TW: 長時間測試, en: Long run}}, time_zone: Asia/Taipei}}
spaces:
  - {{id: hall, kind: building, name: {{zh-TW: 大樓, en: Hall}}, area_m2: 1000}}
connections:
{connections}
equipment:
{equipment}
"""


def site_text() -> str:
    """The site file of all meters, every point read every ten seconds."""
    gateways = [f"g{n:03d}" for n in range(1, GATEWAYS + 1)]
    connections = [
        f"  - {{id: {g}, modbus-tcp: {{host: 127.0.0.1, port: {port}}}}}"
        for port, g in enumerate(gateways, start=15001)
    ]
    equipment = [
        f"  - {{id: {g}-{unit}, class: Electrical_Meter, name: {{zh-TW: 電表, en: Meter}}, space: hall, "
        f"connection: {g}, unit_id: {unit}, profile: eastron_sdm630, interval: {INTERVAL_S}s}}"
        for g in gateways
        for unit in range(1, METERS + 1)
    ]
    return _SITE.format(connections="\n".join(connections), equipment="\n".join(equipment))


class SoakStand:
    """Meters, database and collector, as an async context manager; `postgres` may be killed and started."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="energy-center-soak-"))
        self.postgres = EmbeddedPostgres(self.folder)
        self._children: list[Child] = []
        self._db: Database | None = None
        self._control = ("", 0)
        self._site = self.folder / "site.yaml"
        self._site.write_text(site_text(), encoding="utf-8")
        self.plant = load_site(self._site)

    async def __aenter__(self) -> Self:
        """Start everything; the collector has connected to the database when this is done."""
        try:
            if os.geteuid() == 0:  # the database runs as another account and must reach its own folder
                self.folder.chmod(0o711)
            dsn = await self.postgres.start()
            self._db = await Database.open(dsn, min_size=0, max_size=2)
            await migrate(self._db)
            text = self._site.read_text(encoding="utf-8")
            await apply_site(self._db, self.plant.site, text, "soak", datetime.now(UTC))
            endpoints = self.folder / "endpoints.json"
            meters = await self._start(
                "meters", "simulators", "meters", "--gateways", str(GATEWAYS), "--meters", str(METERS),
                "--endpoints", str(endpoints),
            )  # fmt: skip
            written = json.loads(await wait_for_file(endpoints, meters, READY_S))
            self._control = (written["control"]["host"], int(written["control"]["port"]))
            self.collector = await self._start(
                "collector", "collectors", "--site", str(self._site), "--endpoints", str(endpoints),
                "--state-dir", str(self.folder),
            )  # fmt: skip
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop everything and remove the folder."""
        await self._close()

    async def _start(self, name: str, *words: str) -> Child:
        env = {**os.environ, "DATABASE_URL": self.postgres.dsn, "PYTHONUNBUFFERED": "1"}
        child = await start_child(name, [sys.executable, "-m", *words], env, self.folder / f"{name}.log")
        self._children.append(child)
        return child

    async def _close(self) -> None:
        for child in reversed(self._children):
            await stop_child(child)
        if self._db is not None:
            await self._db.close()
        await self.postgres.stop()
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)

    async def until_all_read(self) -> None:
        """Wait until every point has a stored reading."""
        async with asyncio.timeout(READY_S):
            while len(await self.stored()) < len(self.plant.bindings):  # noqa: ASYNC110  another process's work
                await asyncio.sleep(1.0)

    async def stored(self) -> Counter[tuple[str, str]]:
        """What the database holds, by point; raises RetryLater while it is away."""
        return Counter(await readings_per_point(self._database))

    async def newest_age_s(self) -> float | None:
        """How old the newest stored reading is; None while the database is away."""
        try:
            return await newest_age_s(self._database)
        except RetryLater:
            return None

    async def served(self) -> Counter[tuple[str, str]]:
        """What the meters have sent, by point."""
        counts = (await self._ask(do="served"))["served"]
        return Counter({(k.partition("/")[0], k.partition("/")[2]): int(n) for k, n in counts.items()})

    async def mute_all(self) -> None:
        """Let every meter fall silent."""
        for connection in self.plant.connections:
            await self._ask(do="mute", connection=connection.connection_id, on=True)

    async def _ask(self, **request: object) -> dict[str, dict[str, int]]:
        async with asyncio.timeout(30.0):
            reader, writer = await asyncio.open_connection(*self._control, limit=64 * 1024**2)
            writer.write(json.dumps(request).encode() + b"\n")
            answer = json.loads(await reader.readline())
            writer.close()
        if not isinstance(answer, dict) or not answer.get("ok"):
            raise EnvironmentProblem(f"the meters answer {answer}")
        return answer

    def spool_bytes(self) -> int:
        """What the spool holds on disk."""
        return sum(path.stat().st_size for path in (self.folder / "spool").glob("*.log"))

    @property
    def _database(self) -> Database:
        if self._db is None:
            raise EnvironmentProblem("the stand is not started")
        return self._db
