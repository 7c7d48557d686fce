"""Whether equipment works during a planned fault, by the fault-free run of the same seed.

A fault of a chiller that stands still shows nowhere, whatever a rule may look at. The test reads the
simulated truth and asks no rule.
"""

from collections.abc import Mapping
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from energy_center.cli.detection_kinds import KINDS, Need, Works
from energy_center.rules.window import US, Samples, to_micros

Key = tuple[str, str]
Bools = NDArray[np.bool_]
CLOCK = "time_of_day_utc"
DAY_S = 86_400


def keys_needed() -> set[Key]:
    """Every signal that tells whether a place works."""
    keys: set[Key] = set()
    for kind in KINDS.values():
        for place in kind.places:
            for need in kind.works.needs if kind.works else ():
                keys |= {k for k in _keys(need, place) if k[1] != CLOCK}
    return keys


class Exposure:
    """Hours in which each place works, from fault-free readings on a common grid."""

    def __init__(self, readings: Mapping[Key, Samples], step_s: int) -> None:
        self._readings, self._step_s = readings, step_s
        self._worked: dict[Key, Bools] = {}
        self._at = next(iter(readings.values())).at

    def shows(self, name: str, place: str, start: datetime, end: datetime) -> bool:
        """Whether the place works long enough meanwhile for the fault to show."""
        kind = KINDS[name]
        if kind.works is None:
            return True
        worked = self._of(name, place, kind.works)
        first, last = np.searchsorted(self._at, [to_micros(start), to_micros(end)])
        return bool(worked[first:last].sum() * self._step_s >= kind.works.hours * 3600.0)

    def _of(self, name: str, place: str, works: Works) -> Bools:
        found = self._worked.get((name, place))
        if found is None:
            found = np.logical_and.reduce([self._met(need, place) for need in works.needs])
            self._worked[(name, place)] = found
        return found

    def _met(self, need: Need, place: str) -> Bools:
        own, *others = _keys(need, place)
        level = self._at / US % DAY_S / 3600.0 if own[1] == CLOCK else self._readings[own].values
        if need.rise_h is not None:
            steps = round(need.rise_h * 3600 / self._step_s)
            level = level - np.concatenate([np.full(steps, level[0]), level[:-steps]])
        for other in others:
            level = level - self._readings[other].values
        met = np.ones(len(level), dtype=np.bool_)
        if need.above is not None:
            met &= level > need.above
        if need.below is not None:
            met &= level < need.below
        if need.apart is not None:
            met &= np.abs(level) > need.apart
        return met


def _keys(need: Need, place: str) -> list[Key]:
    building, number = place.split("-", 1)[0], place.rsplit("-", 1)[-1]
    at = need.at.format(place=place, building=building, number=number)
    return [(at, need.signal), *([need.minus] if need.minus else [])]
