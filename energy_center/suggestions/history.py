"""What a measure reads: a building's past in quarter-hours, its meters, its account and its open findings."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from energy_center.analysis.carbon import EmissionFactor
from energy_center.domain.quantities import Role
from energy_center.domain.site import Equipment, Space, Text
from energy_center.tariffs.bill_model import Account, BillingPeriod
from energy_center.tariffs.measure import Measured
from energy_center.tariffs.tariff_model import Tariff

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
QUARTER_H = 0.25
METER_CLASSES = frozenset({"Electrical_Meter", "Building_Electrical_Meter"})


@dataclass(frozen=True, slots=True)
class PlanOffer:
    """A tariff that the building may choose: what the same use would have cost, NT$ over the periods."""

    name: Text
    total: float
    is_present: bool
    contract_kw: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Billing:
    """The account, whole months, and the main meter's quarter-hours of them; percent power factor a month."""

    tariff: Tariff
    account: Account
    periods: tuple[BillingPeriod, ...]
    series: Measured
    power_factors: tuple[Decimal | None, ...]
    plans: tuple[PlanOffer, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenFinding:
    """An alarm that stands with what it wastes, kWh a day and m3 a day."""

    alarm_id: int
    rule_id: str
    equipment_id: str
    name: Text
    days: float
    per_day_kwh: float | None
    per_day_m3: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Quarter-hours of whole local months; all series of shape (n,), NaN where not known.

    `start_s`: epoch seconds. `hour`: local hour of the start, 0..24. `power_kw`: mean power by meter.
    `parents`: the meter that feeds a meter. `gauges`: means in the role's unit, registers as rise a quarter.
    """

    space: Space
    spaces: tuple[Space, ...]
    equipment: tuple[Equipment, ...]
    zone: ZoneInfo
    start_s: NDArray[np.int64]
    hour: Floats
    days: tuple[date, ...]
    day_of: NDArray[np.int64]
    is_working: Mask
    power_kw: Mapping[str, Floats]
    parents: Mapping[str, str]
    gauges: Mapping[tuple[str, Role], Floats]
    factors: Sequence[EmissionFactor]
    billing: Billing | None = None
    findings: tuple[OpenFinding, ...] = ()
    # zone temperatures (Cel) of the last weeks in cooled office hours, by equipment; known ones alone
    zones: Mapping[str, Floats] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.start_s)

    @property
    def years(self) -> NDArray[np.int64]:
        """The local calendar year of each quarter-hour."""
        return np.array([on.year for on in self.days], dtype=np.int64)[self.day_of]

    @property
    def months(self) -> NDArray[np.int64]:
        """The local month of each quarter-hour as year * 12 + month - 1."""
        months = np.array([on.year * 12 + on.month - 1 for on in self.days], dtype=np.int64)
        return months[self.day_of]

    def of_class(self, *names: str) -> list[Equipment]:
        """The building's equipment of these Brick classes, in file order."""
        return [e for e in self.equipment if e.brick_class in names]

    def meter_of(self, equipment: Equipment) -> str | None:
        """The meter that counts an equipment's energy: one that meters it alone, else what feeds it."""
        own = next((m for m in self.power_kw if self._meters(m) == equipment.equipment_id), None)
        by_id = {e.equipment_id: e for e in self.equipment}
        at: Equipment | None = equipment
        for _ in range(len(by_id)):
            if own is not None or at is None:
                break
            own = at.fed_by if at.fed_by in self.power_kw else None
            at = by_id.get(at.fed_by) if at.fed_by else None
        return own

    def meters_of(self, equipment: Iterable[Equipment]) -> list[str]:
        """Their meters, each once."""
        return list(dict.fromkeys(m for e in equipment if (m := self.meter_of(e)) is not None))

    def _meters(self, meter_id: str) -> str | None:
        return next((e.meters for e in self.equipment if e.equipment_id == meter_id), None)

    def main_meter(self) -> str | None:
        """The building's own meter."""
        return next(
            (m for m in self.power_kw if self._meters(m) == self.space.space_id and m not in self.parents),
            None,
        )

    def floor_meters(self) -> list[tuple[str, Space]]:
        """Meters of whole floors."""
        floors = {s.space_id: s for s in self.spaces if s.kind.value == "floor"}
        pairs = [(e.equipment_id, floors.get(e.meters or "")) for e in self.equipment]
        return [(m, s) for m, s in pairs if s is not None and m in self.power_kw and self._is_lighting(m)]

    def _is_lighting(self, meter_id: str) -> bool:
        """Nothing but lighting and sockets hangs on it: no machine of the site file is fed by it."""
        return not any(e.fed_by == meter_id for e in self.equipment)

    def between(self, first_h: float, last_h: float) -> Mask:
        """Quarter-hours of the local clock in [first, last)."""
        found: Mask = (self.hour >= first_h) & (self.hour < last_h)
        return found

    def night_kw(self, meter_id: str) -> float | None:
        """Median power from 1 to 5 o'clock, None where less than 30 nights are known."""
        held = self.power_kw[meter_id][self.between(1.0, 5.0)]
        held = held[~np.isnan(held)]
        return float(np.median(held)) if len(held) >= 30 * 16 else None


def known_share(*series: Floats) -> float:
    """Share of the quarter-hours in which all of the series are known, 0..1."""
    if not series:
        return 0.0
    known = np.ones(len(series[0]), dtype=np.bool_)
    for one in series:
        known &= ~np.isnan(one)
    return float(np.mean(known)) if len(known) else 0.0
