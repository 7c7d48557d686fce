"""All signals of a chunk at one instant, fast enough for every second: the same formulas as vectors."""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix

from simulators.chunk import Chunk, Key
from simulators.signals import (
    QUARTER_S,
    RIPPLE_WEIGHTS,
    AnyRow,
    Curve,
    Floats,
    Integral,
    Ints,
    Line,
    Metered,
    Source,
    Sum,
)


class _Slots:
    """Lines and curves by identity, each with a place in one vector."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.curves: list[Curve] = []
        self._line_at: dict[int, int] = {}
        self._curve_at: dict[int, int] = {}

    def add(self, row: Line | Curve) -> None:
        if isinstance(row, Line):
            if id(row) not in self._line_at:
                self._line_at[id(row)] = len(self.lines)
                self.lines.append(row)
        elif id(row) not in self._curve_at:
            self._curve_at[id(row)] = len(self.curves)
            self.curves.append(row)

    def at(self, row: Line | Curve) -> int:
        if isinstance(row, Line):
            return self._line_at[id(row)]
        return len(self.lines) + self._curve_at[id(row)]


def _parts(source: Source) -> list[tuple[float, Line | Curve]]:
    return source.parts if isinstance(source, Sum) else [(1.0, source)]


def _matrix(slots: _Slots, sources: Sequence[Source]) -> csr_matrix[np.float64]:
    weights, rows, columns = [], [], []
    for place, source in enumerate(sources):
        for weight, part in _parts(source):
            weights.append(weight)
            rows.append(place)
            columns.append(slots.at(part))
    width = len(slots.lines) + len(slots.curves)
    return csr_matrix((weights, (rows, columns)), shape=(len(sources), width))


class _Meters:
    """Derived meter readings of one sort, as index vectors."""

    def __init__(self, rows: list[Metered], sums: dict[int, int], slots: _Slots) -> None:
        self.power = np.array([sums[id(r.power)] for r in rows], dtype=np.int64)
        self.reactive = np.array([sums[id(r.reactive)] for r in rows], dtype=np.int64)
        self.voltage = self._lines([r.voltage for r in rows], slots)
        self.share = self._lines([r.share for r in rows], slots)

    @staticmethod
    def _lines(rows: list[Line | None], slots: _Slots) -> Ints:
        return np.array([slots.at(row) for row in rows if row is not None], dtype=np.int64)


class LiveView:
    """Evaluates every signal of a chunk at one instant."""

    def __init__(self, chunk: Chunk) -> None:
        self.chunk = chunk
        self.keys: list[Key] = list(chunk.rows)
        rows = list(chunk.rows.values())
        slots = _Slots()
        for row in rows:
            for part in _needed(row):
                slots.add(part)
        self._curves = slots.curves
        self._load_lines(slots.lines)
        registers = [r for r in rows if isinstance(r, Integral)]
        metered = [r for r in rows if isinstance(r, Metered)]
        sources = {id(s): s for r in metered for s in (r.power, r.reactive)}
        sources |= {id(r): r for r in rows if isinstance(r, Sum)}
        sums = {name: place for place, name in enumerate(sources)}
        self._sums = _matrix(slots, list(sources.values()))
        self._registers = _matrix(slots, [r.source for r in registers])
        self._counted = np.unique(self._registers.indices)
        self._counted_lines = self._counted[self._counted < len(slots.lines)]
        self._counted_curves = self._counted[self._counted >= len(slots.lines)] - len(slots.lines)
        self._knots = np.array([slots.lines[i].at_knots for i in self._counted_lines])
        self._opening = np.array([r.opening for r in registers])
        self._per_s = np.array([r.per_s for r in registers])
        self._low = np.array([r.low for r in registers])
        self._high = np.array([r.high for r in registers])
        groups = {what: [r for r in metered if r.what == what] for what in ("apparent", "factor", "current")}
        self._meters = {what: _Meters(group, sums, slots) for what, group in groups.items()}
        self._interval = -1
        self._take = self._order(rows, slots, sums, registers, groups)

    def _load_lines(self, lines: list[Line]) -> None:
        self._first = np.array([line.ends[0] for line in lines])
        self._slope = np.array([line.ends[1] for line in lines]) - self._first
        self._cycles = np.array([line.cycles for line in lines])
        still = np.zeros(self.chunk.grid.count)
        swings = [still if line.swing is None else line.swing for line in lines]
        self._swing = np.array([np.broadcast_to(s, still.shape) for s in swings])

    def _order(
        self,
        rows: list[AnyRow],
        slots: _Slots,
        sums: dict[int, int],
        registers: list[Integral],
        groups: dict[str, list[Metered]],
    ) -> Ints:
        """Return for each key its place in the concatenated vector of all sorts."""
        place: dict[int, int] = {}
        offset = len(slots.lines) + len(slots.curves)
        place.update({name: offset + k for name, k in sums.items()})
        offset += len(sums)
        place.update({id(r): offset + k for k, r in enumerate(registers)})
        offset += len(registers)
        for group in groups.values():
            place.update({id(r): offset + k for k, r in enumerate(group)})
            offset += len(group)
        return np.array(
            [slots.at(r) if isinstance(r, Line | Curve) else place[id(r)] for r in rows], dtype=np.int64
        )

    def values_at(self, time: float) -> Floats:
        """Return all signals at an instant, in the order of ``keys``, before patches."""
        place = self.chunk.grid.place(np.array([time]))
        k, share, phase = int(place.interval[0]), float(place.share[0]), float(place.phase[0])
        angle = 2.0 * np.pi * phase
        wave = np.sin(angle * self._cycles) @ RIPPLE_WEIGHTS
        lines = self._first[:, k] + self._slope[:, k] * share + self._swing[:, k] * wave
        parts = np.concatenate([lines, [curve.value_at(time) for curve in self._curves]])
        totals = np.asarray(self._sums @ parts)
        registers = np.clip(
            self._opening + self._integrals(k, share, phase, time) / self._per_s, self._low, self._high
        )
        everything = np.concatenate([parts, totals, registers, *self._metered(totals, parts)])
        ordered: Floats = everything[self._take]
        return ordered

    def _integrals(self, k: int, share: float, phase: float, time: float) -> Floats:
        index = self._counted_lines
        step = self.chunk.grid.step_s[k]
        area = self._knots[:, k] + step * share * (
            self._first[index, k] + 0.5 * share * self._slope[index, k]
        )
        since = float(self.chunk.grid.phase[k])
        cycles = self._cycles[index]
        turns = np.cos(2.0 * np.pi * since * cycles) - np.cos(2.0 * np.pi * phase * cycles)
        waves = ((turns / (2.0 * np.pi * cycles)) @ RIPPLE_WEIGHTS) * QUARTER_S
        area = area + self._swing[index, k] * waves
        full = np.zeros(self._registers.shape[1])
        full[index] = area
        full[self._first.shape[0] + self._counted_curves] = [
            self._curves[i].integral_at(time) for i in self._counted_curves
        ]
        return np.asarray(self._registers @ full)

    def _metered(self, totals: Floats, parts: Floats) -> list[Floats]:
        results = []
        for what, group in self._meters.items():
            power = totals[group.power]
            apparent = np.hypot(power, totals[group.reactive])
            if what == "apparent":
                results.append(apparent)
            elif what == "factor":
                results.append(np.where(apparent > 1e-6, power / np.maximum(apparent, 1e-6), 1.0))
            else:
                results.append(apparent * 1000.0 * parts[group.share] / parts[group.voltage])
        return results


def _needed(row: AnyRow) -> list[Line | Curve]:
    """Return the lines and curves a row is made of."""
    if isinstance(row, Line | Curve):
        return [row]
    if isinstance(row, Sum):
        return [part for _, part in row.parts]
    if isinstance(row, Integral):
        return [part for _, part in _parts(row.source)]
    parts = [part for source in (row.power, row.reactive) for _, part in _parts(source)]
    return parts + [line for line in (row.voltage, row.share) if line is not None]
