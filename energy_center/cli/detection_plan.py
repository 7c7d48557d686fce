"""What the scoring injects: which faults, where, for how long; drawn at random from a seed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Kind:
    """A fault's possible places, its shortest and longest duration in hours, the simulator's name for it.

    Left out is what a history of one reading in five minutes cannot show, such as a generator's cranking.
    """

    places: tuple[str, ...]
    hours: tuple[float, float]
    simulated_as: str | None = None


KINDS: dict[str, Kind] = {
    "after_hours_cooling": Kind(("ltb-plant", "ym-plant", "ltb-ahu-05", "ym-ahu-02"), (24, 48)),
    "demand_surge": Kind(("ltb-main", "ym-main"), (2, 6)),
    "sump_pump_failed": Kind(("ltb-sump-b1", "ltb-sump-b2", "ltb-sump-b3", "ym-sump-b1"), (6, 18)),
    "pump_short_cycling": Kind(("ltb-sump-b1", "ltb-sump-b2", "ltb-sump-b3"), (8, 24)),
    "tank_leak": Kind(("ym-rain-tank",), (24, 60)),
    "meter_offline": Kind(("ltb-fl07-meter", "ltb-water", "ym-fl02-meter", "ltb-pv-1"), (2, 24)),
    "gateway_offline": Kind(("ltb-submeters", "ym-submeters", "ltb-genset"), (2, 24), "meter_offline"),
    "low_power_factor": Kind(("ltb-tr1-meter", "ltb-tr2-meter", "ym-tr1-meter"), (24, 48)),
    "phase_imbalance": Kind(("ltb-fl06-meter", "ltb-fl03-meter", "ym-fl04-meter"), (24, 48)),
    "low_delta_t": Kind(("ltb-plant", "ym-plant"), (36, 72)),
    "reheat_against_cooling": Kind(("ltb-ahu-02", "ltb-ahu-06", "ym-ahu-01"), (48, 96)),
    "fouled_condenser": Kind(("ltb-chiller-1", "ltb-chiller-2", "ym-chiller-1"), (24 * 6, 24 * 9)),
    "counter_reset": Kind(("ltb-fl05-meter", "ltb-fl09-meter", "ym-fl03-meter"), (1, 2)),
    "sensor_stuck": Kind(("ltb-fcu-12-2", "ltb-vav-04-3", "ltb-fcu-10-5"), (36, 72)),
    "frozen_gateway": Kind(("ltb-submeters", "ym-submeters"), (4, 12)),
}


@dataclass(frozen=True, slots=True)
class Injection:
    """One fault to inject."""

    name: str
    place: str
    start: datetime
    end: datetime

    def option(self) -> str:
        """As the simulator's `--fault` takes it."""
        name = KINDS[self.name].simulated_as or self.name
        return f"{name}@{self.place}:{self.start.isoformat()}..{self.end.isoformat()}"


def draw(seed: int, start: datetime, end: datetime, of_each: int, names: frozenset[str]) -> list[Injection]:
    """`of_each` instances of every named kind between the instants; at one place never two at once."""
    dice = random.Random(seed)  # noqa: S311 a reproducible plan, not a secret
    drawn: list[Injection] = []
    for name, kind in KINDS.items():
        if name in names:
            drawn += _draw_kind(dice, name, kind, start, end, of_each)
    return sorted(drawn, key=lambda i: i.start)


def _draw_kind(
    dice: random.Random, name: str, kind: Kind, start: datetime, end: datetime, of_each: int
) -> Iterator[Injection]:
    taken: list[Injection] = []
    for _ in range(50 * of_each):
        if len(taken) == of_each:
            return
        hours = dice.uniform(*kind.hours)
        room = (end - start) / HOUR - hours
        if room <= 0:
            return
        at = start + HOUR * round(dice.uniform(0, room), 1)
        new = Injection(name, dice.choice(kind.places), at, at + HOUR * round(hours, 1))
        if all(_apart(new, other) for other in taken):
            taken.append(new)
            yield new


def _apart(one: Injection, other: Injection) -> bool:
    pause = 24 * HOUR
    return one.place != other.place or one.end + pause <= other.start or other.end + pause <= one.start
