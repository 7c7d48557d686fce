"""A stand for long runs: 10,400 points of 800 meters behind 200 gateways, a database, and a collector.

Each is its own process; everything lives in one temporary folder and on free ports.
"""

import asyncio
from collections import Counter
from typing import Self

from energy_center.cli.processes import Child
from energy_center.cli.stand import READY_S, Stand, counts_of
from energy_center.config.bindings import PointKey
from energy_center.config.load_site import load_site
from energy_center.errors import RetryLater
from energy_center.store.counts import newest_age_s, readings_per_point

GATEWAYS, METERS = 200, 4
INTERVAL_S = 10
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
        self._stand = Stand("soak")
        self.folder, self.postgres = self._stand.folder, self._stand.postgres
        self._site = self.folder / "site.yaml"
        self._site.write_text(site_text(), encoding="utf-8")
        self.plant = load_site(self._site)

    async def __aenter__(self) -> Self:
        """Start everything."""
        try:
            await self._stand.open(self.plant, self._site.read_text(encoding="utf-8"))
            endpoints = self.folder / "endpoints.json"
            meters = ["simulators", "meters", "--gateways", str(GATEWAYS), "--meters", str(METERS)]
            await self._stand.start_devices("meters", meters, endpoints)
            words = ["collectors", "--site", str(self._site), "--endpoints", str(endpoints)]
            env = {"DATABASE_URL": self.postgres.dsn, "PYTHONUNBUFFERED": "1"}
            await self._stand.start("collector", [*words, "--state-dir", str(self.folder)], env)
        except BaseException:
            await self._stand.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop everything and remove the folder."""
        await self._stand.close()

    @property
    def collector(self) -> Child:
        """The collector process."""
        return self._stand.children["collector"]

    async def until_all_read(self) -> None:
        """Wait until every point has a stored reading."""
        async with asyncio.timeout(READY_S):
            while len(await self.stored()) < len(self.plant.bindings):  # noqa: ASYNC110  another process's work
                await asyncio.sleep(1.0)

    async def stored(self) -> Counter[PointKey]:
        """What the database holds, by point; raises RetryLater while it is away."""
        return Counter(await readings_per_point(self._stand.database))

    async def newest_age_s(self) -> float | None:
        """How old the newest stored reading is; None while the database is away."""
        try:
            return await newest_age_s(self._stand.database)
        except RetryLater:
            return None

    async def served(self) -> Counter[PointKey]:
        """What the meters have sent, by point."""
        return counts_of((await self._stand.control("meters", do="served"))["served"])

    async def mute_all(self) -> None:
        """Let every meter fall silent."""
        for connection in self.plant.connections:
            await self._stand.control("meters", do="mute", connection=connection.connection_id, on=True)

    def spool_bytes(self) -> int:
        """What the spool holds on disk."""
        return sum(path.stat().st_size for path in (self.folder / "spool").glob("*.log"))
