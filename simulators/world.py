"""The simulated world, live: runs from a fixed origin to the start and then answers for every second.

History and live are one computation over one quarter-hour grid: registers and levels join without a step.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from simulators import calendars
from simulators.chunk import Chunk, Key, State
from simulators.compute import compute_chunk
from simulators.faults import Fault, affected, resolve
from simulators.live import LiveView
from simulators.model import Model, load_model
from simulators.signals import QUARTER_S

HISTORY_D = 400  # 13 months and some


def origin_for(start: dt.datetime) -> float:
    """Return the epoch second the simulation begins at: the New Year before 400 days before the start.

    A whole year is kept so that restarts within a year continue the registers of the run before.
    """
    local = calendars.date_of(int(calendars.local_day(np.array([start.timestamp()]))[0]))
    return calendars.day_start(dt.date((local - dt.timedelta(days=HISTORY_D)).year, 1, 1))


def month_spans(start: float, end: float) -> Iterator[tuple[float, float]]:
    """Yield the spans of local calendar months that cover start to end, the last cut at the end."""
    while start < end:
        day = calendars.date_of(int(calendars.local_day(np.array([start]))[0]))
        following = dt.date(day.year + day.month // 12, day.month % 12 + 1, 1)
        stop = min(calendars.day_start(following), end)
        yield start, stop
        start = stop


class World:
    """All simulated equipment at the present instant."""

    def __init__(
        self,
        model: Model,
        *,
        seed: int,
        start: dt.datetime,
        faults: Sequence[Fault] = (),
        origin: float | None = None,
    ) -> None:
        self.model = model
        self.seed = seed
        self._faults = list(faults)
        self._now = start.timestamp()
        began = np.floor(self._now / QUARTER_S) * QUARTER_S
        state = State()
        for span in month_spans(origin_for(start) if origin is None else origin, float(began)):
            state = compute_chunk(model, seed, span, state, self._faults).state_at(span[1])
        self._overrides: dict[Key, float] = {}
        self._commands: dict[Key, float] = {}
        self._enter(float(began), state)
        self._evaluate()

    def step(self, now: dt.datetime) -> None:
        """Advance to an instant; going back within the present chunk is allowed, before it is not."""
        self._now = max(now.timestamp(), self._chunk.grid.start)
        while self._now >= self._chunk.grid.end:
            end = self._chunk.grid.end
            self._enter(end, self._chunk.state_at(end))
        self._evaluate()

    def value(self, equipment_id: str, signal: str) -> float:
        """Return what a device reports now.

        Raises:
            KeyError: there is no such signal.
        """
        key = (equipment_id, signal)
        pinned = self._overrides.get(key)
        return self._values[self._index[key]] if pinned is None else pinned

    def values(self) -> Mapping[Key, float]:
        """Return everything that is reported now."""
        return dict(zip(self._view.keys, self._values, strict=True)) | self._overrides

    def is_silent(self, equipment_id: str) -> bool:
        """Say whether the equipment's device answers nothing because of a fault."""
        return any(
            fault.start <= self._now < fault.end
            and any(e.id == equipment_id for e in affected(self.model, fault.equipment_id))
            for fault in self._faults
            if fault.name == "meter_offline"
        )

    def start_fault(
        self, name: str, equipment_id: str | None = None, until: dt.datetime | None = None
    ) -> Fault:
        """Begin a fault now and return it.

        Raises:
            ValueError: the fault or its equipment is unknown.
        """
        place = resolve(self.model, name, equipment_id)
        fault = Fault(name, place, self._now, float("inf") if until is None else until.timestamp())
        self._faults.append(fault)
        self._rebuild()
        return fault

    def stop_fault(self, name: str, equipment_id: str | None = None) -> None:
        """End the running faults of a name, all of them without an equipment.

        Raises:
            ValueError: the fault or its equipment is unknown.
        """
        place = None if equipment_id is None else resolve(self.model, name, equipment_id)
        for k, fault in enumerate(self._faults):
            if fault.name == name and place in (None, fault.equipment_id) and fault.end > self._now:
                self._faults[k] = Fault(name, fault.equipment_id, min(fault.start, self._now), self._now)
        self._rebuild()

    def faults(self) -> list[Fault]:
        """Return all faults so far with their true starts and ends."""
        return list(self._faults)

    def override(self, equipment_id: str, signal: str, value: float | None) -> None:
        """Pin what a device reports, or release it.

        Raises:
            KeyError: there is no such signal.
        """
        key = (equipment_id, signal)
        if key not in self._index:
            raise KeyError(key)
        if value is None:
            self._overrides.pop(key, None)
        else:
            self._overrides[key] = value

    def command(self, equipment_id: str, signal: str, value: float | None) -> None:
        """Make a schedule or set-point a value from now on, whatever its program says; None gives it back."""
        if value is None:
            self._commands.pop((equipment_id, signal), None)
        else:
            self._commands[equipment_id, signal] = value
        self._rebuild()

    def _rebuild(self) -> None:
        state = self._chunk.state_at(self._now)
        self._enter(self._now, state)
        self._evaluate()

    def _enter(self, start: float, state: State) -> None:
        """Compute the stretch from start to the midnight after next and prepare to read it."""
        day = int(calendars.local_day(np.array([start]))[0])
        self._chunk: Chunk = compute_chunk(
            self.model, self.seed, (start, calendars.midnight(day + 2)), state, self._faults, self._commands
        )
        self._view = LiveView(self._chunk)
        self._index = {key: place for place, key in enumerate(self._view.keys)}

    def _evaluate(self) -> None:
        values = self._view.values_at(self._now)
        for patch in self._chunk.patches:
            if patch.start <= self._now < patch.end:
                place = self._index[patch.key]
                values[place] = patch.read(values[place])
        self._values: list[float] = values.tolist()


__all__ = ["World", "load_model", "month_spans", "origin_for"]
