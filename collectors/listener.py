"""Holds one subscription: reconnects with back-off, spools what arrives, notes who is silent."""

import asyncio
import logging
import random
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from collectors.check_quality import RangeCheck
from collectors.circuit import MISSES_TO_OPEN, full_jitter
from collectors.driver import TUPLES_KNOWN, BusContext, MalformedNotice, Message, Notice, PushedDriver, Sample
from collectors.poller import Report, StateChange
from collectors.tally import DeviceTally, MalformedLog
from energy_center.config.bindings import PointBinding
from energy_center.domain.supervision import ErrorKind
from energy_center.errors import DeviceAway

SILENT_INTERVALS = 3
SHORTEST_SILENCE_S = 30.0
CHECK_EVERY_S = 5.0

log = logging.getLogger(__name__)


class Store(Protocol):
    """Where samples go."""

    def __call__(
        self, bindings: tuple[PointBinding, ...], sample: Sample, /, *, comes_again: bool = False
    ) -> "asyncio.Future[None]":
        """The future ends when the sample is safe on disk. `comes_again`: it is not lost when that fails."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is worked out once for messages of the same points; `shares`: readings of which device."""

    bindings: tuple[PointBinding, ...]
    check: RangeCheck
    shares: tuple[tuple[DeviceTally, int], ...]


class Listener:
    """One broker and the devices that publish through it."""

    def __init__(
        self,
        context: BusContext,
        driver: PushedDriver,
        store: Store,
        report: Report,
        rng: random.Random | None = None,
    ) -> None:
        """Prepare; `run` subscribes."""
        self.connects = 0
        self.failed_connects = 0
        self.tallies = {d.device_id: DeviceTally() for d in context.devices}
        self.malformed = MalformedLog()
        self.connected_at: float | None = None  # on the monotonic clock
        self._bus = context.connection.connection_id
        self._driver = driver
        self._store = store
        self._report = report
        self._rng = rng or random.Random()  # noqa: S311  spreads load, guards nothing
        self._kinds: dict[int, _Kind] = {}  # by the id of the tuple of points, which each keeps
        self._patience = {d.device_id: SHORTEST_SILENCE_S for d in context.devices}
        for binding in context.bindings:
            longest = max(self._patience[binding.device_id], SILENT_INTERVALS * binding.interval_s)
            self._patience[binding.device_id] = longest
        self._heard_at = dict.fromkeys(self._patience, time.monotonic())
        self.online: dict[str, bool] = {}
        self._failures = 0
        self._unstored = 0
        self._session: asyncio.Timeout | None = None

    async def run(self) -> None:
        """Listen until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch())
            tasks.create_task(self._listen())

    async def _listen(self) -> None:
        while True:
            try:
                async with asyncio.timeout(None) as self._session:
                    await self._driver.run(self._deliver, self._connected, self._notice)
            except DeviceAway as cause:
                self._failures += 1
                self.failed_connects += int(self.connected_at is None)
                for tally in self.tallies.values():
                    tally.says(ErrorKind.CONNECTION, str(cause))
                if self._failures >= MISSES_TO_OPEN:
                    self._all_away(str(cause))
            except TimeoutError:
                log.warning("messages not stored", extra={"action": "messages_unstored", "broker": self._bus})
            finally:
                self._session = None
                self.connected_at = None
            await asyncio.sleep(0.1 + full_jitter(self._failures + self._unstored, self._rng, cap_s=20.0))

    def _settled(self, message: Message, stored: "asyncio.Future[None]") -> None:
        """Acknowledge what is safe. What is not, the broker sends again, but only to a new session."""
        if stored.cancelled():
            return
        if stored.exception() is None:
            self._unstored = 0
            message.stored()
        elif self._session is not None:
            self._unstored += 1
            session, self._session = self._session, None
            session.reschedule(asyncio.get_running_loop().time())

    def _connected(self) -> None:
        self.connects += 1
        self._failures = 0
        log.info("broker connected", extra={"action": "broker_connected", "broker": self._bus})
        now = self.connected_at = time.monotonic()
        self._heard_at = dict.fromkeys(self._heard_at, now)

    def _deliver(self, message: Message) -> None:
        kind = self._kinds.get(id(message.bindings))
        if kind is None:
            if len(self._kinds) >= TUPLES_KNOWN:
                self._kinds.clear()
            kind = self._kinds[id(message.bindings)] = self._kind_of(message.bindings)
        checked = kind.check.flag(message.sample)
        stored = self._store(message.bindings, checked, comes_again=message.comes_again)
        stored.add_done_callback(partial(self._settled, message))
        for tally, readings in kind.shares:
            tally.told(message.sample.at, readings)
        for device_id in message.device_ids:
            self._heard_at[device_id] = time.monotonic()
            self._change(device_id, online=True)

    def _kind_of(self, bindings: tuple[PointBinding, ...]) -> "_Kind":
        counted = Counter(b.device_id for b in bindings)
        shares = tuple((self.tallies.setdefault(d, DeviceTally()), n) for d, n in counted.items())
        return _Kind(bindings, RangeCheck(bindings), shares)

    def _notice(self, notice: Notice) -> None:
        if isinstance(notice, MalformedNotice):
            self.malformed.note(notice.topic, notice.device_ids, notice.excerpt, notice.why)
            for device_id in notice.device_ids:
                tally = self.tallies.setdefault(device_id, DeviceTally())
                tally.failed(ErrorKind.MALFORMED, "", f"{notice.why} ({notice.topic})")
            return
        if notice.online:
            self._heard_at[notice.device_id] = time.monotonic()
        self._change(notice.device_id, online=notice.online, detail=notice.detail)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            now = time.monotonic()
            for device_id, heard_at in self._heard_at.items():
                if now - heard_at > self._patience[device_id]:
                    self._change(device_id, online=False, detail=f"no message for {now - heard_at:.0f} s")

    def _all_away(self, why: str) -> None:
        for device_id in self._heard_at:
            self._change(device_id, online=False, detail=why)

    def _change(self, device_id: str, *, online: bool, detail: str = "") -> None:
        if self.online.get(device_id) is not online:
            self.online[device_id] = online
            self._report(StateChange(device_id, online=online, at=time.time(), detail=detail))
