"""Whether a site lives: which devices answer, how fresh the points are, whether the meters balance."""

from dataclasses import dataclass
from datetime import datetime

from energy_center.domain.quantities import Role
from energy_center.domain.site import Equipment, Site
from energy_center.store.live_check import count_readings, mean_values, newest_times
from energy_center.store.pool import Database

STALE_INTERVALS = 2.5
MAIN_METER = "Building_Electrical_Meter"
METERS = (MAIN_METER, "Electrical_Meter")


@dataclass(frozen=True, slots=True)
class Balance:
    """Mean kW over the period; residual = (main - submeters - PV) / main, losses included in it.

    `losses_kw` is what the transformers take: main minus the low-voltage main meters behind it.
    """

    building: str
    main_kw: float
    submeters_kw: float
    pv_kw: float
    losses_kw: float

    @property
    def residual(self) -> float:
        """What no submeter, PV inverter or transformer accounts for, as a share of the main meter."""
        return (self.main_kw - self.submeters_kw - self.pv_kw - self.losses_kw) / self.main_kw

    def as_dict(self) -> dict[str, float]:
        """Rounded for a report."""
        return {
            "main_kw": round(self.main_kw, 1),
            "submeters_kw": round(self.submeters_kw, 1),
            "pv_kw": round(self.pv_kw, 1),
            "losses_kw": round(self.losses_kw, 1),
            "residual": round(self.residual, 4),
        }


@dataclass(frozen=True, slots=True)
class LiveCheck:
    """What was seen over [since, now)."""

    devices: int
    silent_devices: tuple[str, ...]
    points: int
    readings: int
    fresh_share: float
    balances: tuple[Balance, ...]


async def check_live(
    db: Database, site: Site, since: datetime, now: datetime, *, answered_since: datetime | None = None
) -> LiveCheck:
    """Look at what was stored in [since, now).

    A device is silent when none of its points has a reading since `answered_since` (default: `since`).
    """
    points = site.points()
    newest = await newest_times(db, [p.point_id for p in points])
    device_of = {e.equipment_id: e.device_id for e in site.equipment}
    devices = {d for p in points if (d := device_of[p.equipment_id]) is not None}
    heard_from = answered_since or since
    heard = (p for p in points if (at := newest.get(p.point_id)) is not None and at >= heard_from)
    answered = {device_of[p.equipment_id] for p in heard}
    fresh = sum(
        1
        for p in points
        if (at := newest.get(p.point_id)) and (now - at).total_seconds() <= STALE_INTERVALS * p.interval_s
    )
    return LiveCheck(
        devices=len(devices),
        silent_devices=tuple(sorted(devices - answered)),
        points=len(points),
        readings=await count_readings(db, since, now),
        fresh_share=fresh / len(points) if points else 0.0,
        balances=await _balances(db, site, since, now),
    )


async def _balances(db: Database, site: Site, since: datetime, now: datetime) -> tuple[Balance, ...]:
    power = {
        e.equipment_id: p.point_id for e in site.equipment if (p := e.point(Role.ACTIVE_POWER)) is not None
    }
    means = await mean_values(db, list(power.values()), since, now)
    kw = {equipment: means[point] for equipment, point in power.items() if point in means}
    found = (_balance(site, building.space_id, kw) for building in site.buildings)
    return tuple(b for b in found if b is not None)


def _balance(site: Site, building: str, kw: dict[str, float]) -> Balance | None:
    inside = [e for e in site.equipment if site.building_of(e.space_id) == building]
    meters = [e for e in inside if e.brick_class in METERS]
    ids = {e.equipment_id for e in meters}
    feeds = {e.fed_by for e in meters}
    main = next((e for e in meters if e.brick_class == MAIN_METER and e.equipment_id in kw), None)
    leaves = [e for e in meters if e.equipment_id not in feeds and e is not main]
    if main is None or any(e.equipment_id not in kw for e in leaves):
        return None
    behind_main = [e for e in meters if e.fed_by == main.equipment_id and e.equipment_id in feeds]
    low_voltage = _sum(behind_main, kw) if behind_main else kw[main.equipment_id]
    produced = [e for e in inside if e.point(Role.ENERGY_EXPORT) is not None and e.equipment_id not in ids]
    return Balance(
        building=building,
        main_kw=kw[main.equipment_id],
        submeters_kw=_sum(leaves, kw),
        pv_kw=_sum(produced, kw),
        losses_kw=kw[main.equipment_id] - low_voltage,
    )


def _sum(equipment: list[Equipment], kw: dict[str, float]) -> float:
    return sum(kw.get(e.equipment_id, 0.0) for e in equipment)
