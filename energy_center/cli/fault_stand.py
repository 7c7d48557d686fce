"""A stand for fault runs: a database, simulated devices, fault proxies and a collector, each its own process.

Nothing is shared with an installation: everything lives in one temporary folder and on free ports.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from energy_center.cli.fault_ledger import Counts, Given, Instants, Ledger, only
from energy_center.cli.processes import Child, stop_child
from energy_center.cli.shifted_clock import write_offset
from energy_center.cli.stand import READY_S, Stand, counts_of
from energy_center.config.bindings import ModbusSource, PointKey, Protocol
from energy_center.config.load_site import load_site
from energy_center.errors import EnvironmentProblem, RetryLater
from energy_center.settings import PROJECT_ROOT
from energy_center.store.counts import reading_instants, readings_per_point
from energy_center.store.pool import Database

SITE_FILE = PROJECT_ROOT / "energy_center" / "config" / "demo" / "taichung.yaml"
SIMULATED_SITE = PROJECT_ROOT / "simulators" / "sites" / "taichung.yaml"
HELD_S, LOOK_AFTER_S = 0.7, 0.4  # requests wait, shorter than any time limit, while counts are compared
TRIES, TRY_EVERY_S, STEADY = 60, 1.5, 3  # comparing: at most, how often, and when a difference is final
STEADY_PUBLISHED = 18  # longer than a listener's pause before it connects again
READ_AGAIN_S = 90.0
UNDER_WAY_S = 1.0  # replies to a collector that has gone
_SOCKET = ".s.PGSQL.5432"


class FaultStand:
    """Everything from device to database, to be broken on purpose. Use as an async context manager."""

    def __init__(self) -> None:
        self.plant = load_site(SITE_FILE)
        self.settings: dict[str, str] = {}  # of the collector, beside what the stand needs
        self._stand = Stand("faults")
        self.folder, self.postgres = self._stand.folder, self._stand.postgres
        self._starts = 0
        self._shifted = False
        self._before = Ledger()
        self._points: dict[str, set[PointKey]] = {}
        for binding in self.plant.bindings:
            self._points.setdefault(binding.connection_id, set()).add(binding.key)

    async def __aenter__(self) -> Self:
        """Start the database and the devices; the collector comes with `start_collector`."""
        try:
            await self._stand.open(self.plant, SITE_FILE.read_text(encoding="utf-8"))
            endpoints = self.folder / "endpoints.json"
            words = ["simulators", "live", "--site", str(SIMULATED_SITE), "--seed", "1"]
            await self._stand.start_devices("simulators", [*words, "--control", "127.0.0.1:0"], endpoints)
            there = dict(parse_qsl(urlsplit(self.postgres.dsn).query))["host"]
            (self.folder / "before").mkdir()
            words = ["simulators", "proxy", "--site", str(SIMULATED_SITE), "--behind", str(endpoints)]
            words += ["--database", f"{there}/{_SOCKET}", str(self.folder / "before" / _SOCKET)]
            await self._stand.start_devices("proxy", words, self.folder / "proxied.json")
        except BaseException:
            await self._stand.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop everything and remove the folder."""
        await self._stand.close()

    @property
    def dsn(self) -> str:
        """The database as the collector reaches it, through the proxy."""
        parts = urlsplit(self.postgres.dsn)
        return urlunsplit(parts._replace(query=f"host={quote(str(self.folder / 'before'), safe='/')}"))

    @property
    def collector(self) -> Child:
        """The collector process."""
        return self._stand.children["collector"]

    @property
    def simulators(self) -> Child:
        """The process of the simulated devices."""
        return self._stand.children["simulators"]

    async def start_collector(self) -> None:
        """Start the collector and wait until it listens to the broker; count from here on.

        Publishers are silent meanwhile: what they say before anyone listens is nobody's loss.
        """
        await self.mute("broker")
        await self.restart_collector()
        await asyncio.sleep(1.0)  # what the broker had retained
        given, stored = await self.given(), await self.stored()
        self._before = Ledger(given.sure, given.unsure, stored).of(self.points_of("broker"))
        await self.unmute("broker")

    async def restart_collector(self) -> None:
        """Start the collector on the same spool, and wait until it listens to the broker."""
        log = await self.launch_collector()
        async with asyncio.timeout(READY_S):
            while "broker_connected" not in log.read_text(encoding="utf-8"):
                if self.collector.process.returncode is not None:
                    raise EnvironmentProblem(f"the collector stopped:\n{self.collector.tail()}")
                await asyncio.sleep(0.1)

    def broker_connections(self) -> int:
        """How often the running collector has connected to the broker."""
        return self.collector.log.read_text(encoding="utf-8").count("broker_connected")

    async def launch_collector(self) -> Path:
        """Start the collector on the same spool; returns its log."""
        self._starts += 1
        module = ["collectors"]
        if self._shifted:
            module = ["energy_center.cli.shifted_clock", str(self.folder / "clock"), "collectors"]
        words = ["--site", str(SITE_FILE), "--endpoints", str(self.folder / "proxied.json")]
        words += ["--state-dir", str(self.folder)]
        env = {**self.settings, "DATABASE_URL": self.dsn, "PYTHONUNBUFFERED": "1"}
        log = f"collector-{self._starts}.log"
        return (await self._stand.start("collector", [*module, *words], env, log)).log

    async def shift_clock(self, seconds: float) -> None:
        """Set the collector's wall clock wrong; the first time it is started anew for that."""
        write_offset(self.folder / "clock", 0.0 if not self._shifted else seconds)
        if not self._shifted:
            self._shifted = True
            await self.stop_in_order()
            await self.restart_collector()
            write_offset(self.folder / "clock", seconds)

    async def stop_collector(self) -> None:
        """SIGTERM, as at an update."""
        await stop_child(self.collector)

    async def stop_in_order(self) -> None:
        """Stop the collector; what it is given meanwhile, or just afterwards, is nobody's loss."""
        await self.control("proxy", do="listening", on=False)
        await self.stop_collector()
        await asyncio.sleep(UNDER_WAY_S)
        await self.control("proxy", do="listening", on=True)

    async def kill_collector(self) -> None:
        """SIGKILL, as the out-of-memory killer would."""
        self.collector.process.kill()
        await self.collector.process.wait()

    async def control(self, to: str = "simulators", **request: object) -> dict[str, object]:
        """One request to the simulators or to the proxy."""
        return await self._stand.control(to, **request)

    async def mute(self, connection: str) -> None:
        """Let the devices of a connection fall silent."""
        await self.control(do="mute", connection=connection, on=True)

    async def unmute(self, connection: str) -> None:
        """Let it speak again."""
        await self.control(do="mute", connection=connection, on=False)

    async def given(self) -> Given:
        """What clients were given, by point.

        Published readings are owed once the broker has them; of all else the proxy knows what got through.
        """
        by_proxy = await self.control("proxy", do="served")
        published = self.published(self._counts((await self.control(do="served"))["served"]))
        return Given(self._counts(by_proxy["served"]) + published, self._counts(by_proxy["unsure"]))

    def _counts(self, written: object) -> Counts:
        return only(counts_of(written), {b.key for b in self.plant.bindings})

    def points_of(self, connection: str) -> set[PointKey]:
        """The points of a connection."""
        return self._points[connection]

    async def stored(self) -> Counts:
        """What the database holds, by point."""
        return Counter(await readings_per_point(self.database))

    async def given_by(self, connection: str) -> int:
        """How many readings a connection has given so far."""
        given = await self.given()
        return only(given.sure + given.unsure, self.points_of(connection)).total()

    async def until_read_again(self, given: Mapping[str, int]) -> set[str]:
        """Wait until each connection has given more than this; the ones that did not within the limit."""
        silent = set(given)
        try:
            async with asyncio.timeout(READ_AGAIN_S):
                while silent:
                    await asyncio.sleep(1.0)
                    silent = {at for at in silent if await self.given_by(at) <= given[at]}
        except TimeoutError:
            return silent
        return silent

    def first_register(self, connection: str) -> int:
        """Wire address of some point's register there."""
        sources = (b.source for b in self.plant.bindings if b.connection_id == connection)
        return next(s.address for s in sources if isinstance(s, ModbusSource))

    async def instants(self) -> Instants:
        """Every stored reading."""
        return await reading_instants(self.database)

    @property
    def database(self) -> Database:
        """The database, not through the proxy."""
        return self._stand.database

    async def committed(self) -> Instants:
        """What the dead collector had on disk: in the database or in its spool."""
        return await self.spooled() | await self.instants()

    async def spooled(self) -> Instants:
        """What the dead collector has in its spool."""
        argv = [sys.executable, "-m", "collectors.spooled", str(self.folder / "spool")]
        process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
        written, _ = await process.communicate()
        return {(e, p, int(at)) for e, p, at in map(json.loads, written.decode().splitlines())}

    async def settle(self) -> Ledger:
        """Wait until all that was given is stored, or the difference stays; counts since the last time.

        Publishers are silent meanwhile, and requests are held for a moment each time counts are read.
        """
        await self.mute("broker")
        steady, last, found = 0, None, None
        for _ in range(TRIES):
            found = await self._look() or found
            if found is not None:
                now = found.since(self._before)
                steady = steady + 1 if (now.lost, now.doubled) == last else 0
                last = (now.lost, now.doubled)
                has_published = self.published(now.lost + now.doubled).total() > 0
                if now.is_even or steady >= (STEADY_PUBLISHED if has_published else STEADY):
                    break
            await asyncio.sleep(TRY_EVERY_S)
        if found is None:
            raise EnvironmentProblem("the database does not come back")
        self._before = found
        await self.unmute("broker")
        return now

    async def _look(self) -> Ledger | None:
        """The counts; None while the database is away, or when something was given meanwhile after all."""
        await self.control("proxy", do="hold", for_s=HELD_S)
        await asyncio.sleep(LOOK_AFTER_S)
        given = await self.given()
        try:
            stored = await self.stored()
        except RetryLater:
            return None
        return Ledger(given.sure, given.unsure, stored) if await self.given() == given else None

    def published(self, counts: Counts) -> Counts:
        """Only the points that come by MQTT."""
        brokers = {c.connection_id for c in self.plant.connections if c.protocol is Protocol.MQTT}
        keys = {b.key for b in self.plant.bindings if b.connection_id in brokers}
        return Counter({k: n for k, n in counts.items() if k in keys})
