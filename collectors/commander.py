"""Carries out requested writes: commands, reads back now and then, and hands points back at their time's end.

What is written down comes first: a command is marked as perhaps held before the device hears of it,
so that after a kill at any moment it is still handed back at its end.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from collectors.driver import ReadBack, WritingDriver
from energy_center.config.bindings import PointBinding, PointKey
from energy_center.domain.commands import Command, CommandState
from energy_center.errors import BadFrame, DeviceAway, DeviceRefused, NotSupported, RetryLater

log = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0
LONGEST_PAUSE_S = 60.0
LOOK_AGAIN_S = 60.0  # after a command in force: somebody may have overruled it, or the device lost it
OVERRULED = "a higher priority overrules it"
SETTLE_S, SETTLE_TRIES = 1.0, 3  # controllers that take a program cycle to follow
TOLERANCE = 0.005  # of the allowed range: what a controller may round by


class CommandStore(Protocol):
    """Where requests are kept."""

    async def due(self, now: datetime) -> Sequence[Command]:
        """What is to be written, looked at again or ended."""

    async def change(
        self, command: Command, change: Callable[[Command], Command], now: datetime, pause_s: float = 0.0
    ) -> Command | None:
        """Change a command that is still open, as it stands now; None when it is not open any more."""


@dataclass(frozen=True, slots=True)
class _Place:
    binding: PointBinding
    driver: WritingDriver


def utc_now() -> datetime:
    """The instant now."""
    return datetime.now(UTC)


class Commander:
    """All points of this process that can be commanded."""

    def __init__(
        self, store: CommandStore, clock: Callable[[], datetime] = utc_now, settle_s: float = SETTLE_S
    ) -> None:
        """`settle_s` is how long a controller may take to follow before its point is read again."""
        self._store = store
        self._clock = clock
        self._settle_s = settle_s
        self._places: dict[PointKey, _Place] = {}
        self._wake = asyncio.Event()

    def add(self, driver: object, bindings: Sequence[PointBinding]) -> None:
        """Command these points through a driver, if it can."""
        if isinstance(driver, WritingDriver):
            self._places.update({b.key: _Place(b, driver) for b in bindings})

    def remove(self, bindings: Sequence[PointBinding]) -> None:
        """Command these points no longer: their connection ends, and another may take them over."""
        for binding in bindings:
            self._places.pop(binding.key, None)

    def wake(self) -> None:
        """Look now: something was requested."""
        self._wake.set()

    async def run(self) -> None:
        """Carry out until cancelled."""
        while True:
            try:
                await self.once()
            except RetryLater:
                pass  # the writer says that the database is away
            except Exception:  # the outer loop of a task
                log.exception("commands not carried out", extra={"action": "commands_failed"})
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._wake.wait()
            self._wake.clear()

    async def once(self) -> int:
        """Do what is due; returns how many commands that was. Those of other processes are left alone."""
        if not self._places:
            return 0
        mine = [c for c in await self._store.due(self._clock()) if c.key in self._places]
        for command in mine:
            await self._deal_with(command, self._places[command.key])
        return len(mine)

    async def _deal_with(self, command: Command, place: _Place) -> None:
        now = self._clock()
        try:
            if command.ends(now):
                await self._end(command, place, now)
            elif command.state is CommandState.ACTIVE:
                await self._look_again(command, place, now)
            else:
                await self._write(command, place, now)
        except (DeviceAway, BadFrame) as cause:
            await self._again(command, cause.message, now)
        except RetryLater:  # the database
            raise
        except Exception as bug:  # one command must not keep the others from being handed back
            log.exception("command failed", extra={"action": "command_failed", **_facts(command)})
            await self._again(command, f"failed: {bug}", now)

    async def _look_again(self, command: Command, place: _Place, now: datetime) -> None:
        """Read a command in force back: what overrules it is said once, a value that was lost is written."""
        try:
            read = await place.driver.read_back(place.binding, command.priority)
        except (DeviceAway, BadFrame, DeviceRefused, NotSupported):
            await self._store.change(command, lambda c: c, now, _until_next_look(command, now))
            return  # the device's own state tells that it is away
        if read.has_slots and read.held is None and not _is_near(read.present, command):
            log.warning("command was lost", extra={"action": "command_lost", **_facts(command)})
            await self._write(command, place, now)
            return
        detail = _overruled_by(command, read)
        if detail != command.detail:
            told = {"action": "command_overruled" if detail else "command_in_force", "why": detail}
            log.warning("command in force has changed", extra={**told, **_facts(command)})
        await self._store.change(
            command,
            lambda c: replace(c, read_back=read.present, read_back_at=self._clock(), detail=detail),
            now,
            _until_next_look(command, now),
        )

    async def _write(self, command: Command, place: _Place, now: datetime) -> None:
        refusal = _not_allowed(command, place.binding)
        if refusal is None:
            taken = await self._store.change(
                command, lambda c: replace(c, state=CommandState.WRITING, may_be_held=True), now
            )
            if taken is None or taken.cancelled_at is not None:
                return
            try:
                await place.driver.write(place.binding, command.wanted, command.priority)
                read = await self._read_back(command, place)
            except (DeviceRefused, NotSupported) as cause:
                refusal = str(cause.facts.get("why", cause.message))
            else:
                refusal = await self._written(command, read, now)
        if refusal is not None:
            why = refusal
            await self._store.change(command, lambda c: replace(c, refusal=why, detail=why), now)
            log.warning("command refused", extra={"action": "command_refused", "why": why, **_facts(command)})

    async def _read_back(self, command: Command, place: _Place) -> ReadBack:
        read = await place.driver.read_back(place.binding, command.priority)
        for _ in range(SETTLE_TRIES - 1):
            if _is_near(read.present, command) or (read.has_slots and _is_near(read.held, command)):
                break
            await asyncio.sleep(self._settle_s)
            read = await place.driver.read_back(place.binding, command.priority)
        return read

    async def _written(self, command: Command, read: ReadBack, now: datetime) -> str | None:
        """Keep what was read back; returns why the write does not count."""
        if not _is_near(read.present, command) and not _is_near(read.held, command):
            return f"The point reads {read.present:g} after the write"
        detail = _overruled_by(command, read)
        await self._store.change(
            command,
            lambda c: replace(
                c,
                state=CommandState.ACTIVE,
                written_at=now,
                read_back=read.present,
                read_back_at=self._clock(),
                detail=detail,
                attempts=0,
            ),
            now,
            _until_next_look(command, now),
        )
        log.info("command in force", extra={"action": "command_written", **_facts(command)})
        return None

    async def _end(self, command: Command, place: _Place, now: datetime) -> None:
        """Hand the point back, where the device may hold our value, and close the command."""
        detail = command.detail
        if command.may_be_held:
            try:
                await place.driver.write(place.binding, None, command.priority)
                read = await place.driver.read_back(place.binding, command.priority)
            except (DeviceRefused, NotSupported) as cause:
                detail = f"not handed back: {cause.facts.get('why', cause.message)}"
                if command.refusal is None:
                    await self._again(command, detail, now)
                    return
            else:
                if read.has_slots and read.held is not None:
                    await self._again(command, "the device still holds the value", now)
                    return
        await self._store.change(
            command, lambda c: replace(c, state=c.end_state, ended_at=now, detail=detail), now
        )
        log.info("command ended", extra={"action": "command_ended", **_facts(command)})

    async def _again(self, command: Command, why: str, now: datetime) -> None:
        """Try later; handing back is never given up."""
        pause_s = min(2.0 ** min(command.attempts, 6), LONGEST_PAUSE_S)
        await self._store.change(
            command, lambda c: replace(c, attempts=c.attempts + 1, detail=why), now, pause_s
        )


def _until_next_look(command: Command, now: datetime) -> float:
    """Seconds until an active command is read back again; its end is not slept over."""
    return max(0.0, min(LOOK_AGAIN_S, (command.expires_at - now).total_seconds()))


def _overruled_by(command: Command, read: ReadBack) -> str:
    """What keeps a command from being in force; empty when it is."""
    if _is_near(read.present, command):
        return ""
    if not read.has_slots:
        return f"the point reads {read.present:g}"
    return OVERRULED if _is_near(read.held, command) else f"another wrote {read.held:g} at its priority"


def _not_allowed(command: Command, binding: PointBinding) -> str | None:
    """Why this process's own site file forbids a write; None when it allows it."""
    limits = binding.writable
    if limits is None:
        return "The collector's site file does not allow writes to this point"
    if not limits.low <= command.wanted <= limits.high:
        return f"The collector's site file allows {limits.low:g} to {limits.high:g}"
    return None


def _is_near(read: float | None, command: Command) -> bool:
    if read is None:
        return False
    return abs(read - command.wanted) <= max(TOLERANCE * (command.high - command.low), 1e-6)


def _facts(command: Command) -> Mapping[str, object]:
    return {"command": int(command.command_id), "point": "/".join(command.key), "wanted": command.wanted}
