"""Small histories: ten weeks in one office of a building with one floor, chillers and chargers."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np

from energy_center.analysis.carbon import EmissionFactor
from energy_center.domain.calendars import GovernmentCalendar
from energy_center.domain.quantities import Role
from energy_center.domain.site import Equipment, Space, SpaceKind, Text
from energy_center.services.read_savings_history import Frame, frame_of
from energy_center.services.tariff_catalogue import tariff
from energy_center.suggestions.history import Billing, Floats, History, OpenFinding
from energy_center.tariffs.bill_model import Account, BillingPeriod, Contract
from energy_center.tariffs.measure import measured

ZONE = ZoneInfo("Asia/Taipei")
NAME = Text("某", "Some")
# 0.474 kg/kWh of 2024, as announced on 2025-04-14
FACTORS = (EmissionFactor(2024, 0.474, date(2025, 4, 14), "test"),)
# July 2026: 31 days, 23 working days, no public holiday; all of it summer by the high-voltage tariff
JULY = (BillingPeriod(date(2026, 7, 1), date(2026, 7, 31)),)


@cache
def july() -> Frame:
    return frame_of(JULY, ZONE, GovernmentCalendar("TW"))


def machine(
    name: str, kind: str, fed_by: str | None = None, meters: str | None = None, **attributes: object
) -> Equipment:
    return Equipment(name, kind, NAME, "b", fed_by=fed_by, meters=meters, attributes=attributes)


def flat(kw: float) -> Floats:
    return np.full(len(july().start_s), kw)


def by_hour(
    levels: Mapping[tuple[float, float], float], rest: float = 0.0, *, working: bool = True
) -> Floats:
    frame = july()
    kw = flat(rest)
    for (first, last), level in levels.items():
        inside = (frame.hour >= first) & (frame.hour < last)
        kw[inside & (frame.is_working if working else True)] = level
    return kw


def history(
    power: Mapping[str, Floats],
    equipment: Sequence[Equipment] = (),
    gauges: Mapping[tuple[str, Role], Floats] | None = None,
    *,
    floors: Mapping[str, float] | None = None,
    contract_kw: int = 500,
    billed: bool = True,
    findings: Sequence[OpenFinding] = (),
    zones: Mapping[str, Floats] | None = None,
    power_factor: Decimal | None = Decimal(95),
) -> History:
    frame = july()
    main = Equipment("main", "Building_Electrical_Meter", NAME, "b", meters="b")
    meters = [
        machine(m, "Electrical_Meter", fed_by="main", meters=m if m in (floors or {}) else None)
        for m in power
        if m != "main"
    ]
    known = [
        *equipment,
        main,
        *[m for m in meters if m.equipment_id not in {e.equipment_id for e in equipment}],
    ]
    spaces = [Space("b", None, SpaceKind.BUILDING, NAME)] + [
        Space(f, "b", SpaceKind.FLOOR, NAME, {"area_m2": area}) for f, area in (floors or {}).items()
    ]
    whole = dict(power)
    if "main" not in whole:
        whole["main"] = np.nansum(list(power.values()), axis=0)
    billing = Billing(
        tariff("taipower-hv-tou3"),
        Account(contracts=(Contract(date(2026, 1, 1), {"regular": Decimal(contract_kw)}),)),
        JULY,
        measured(frame.start_s, np.nan_to_num(whole["main"]) / 4.0),
        (power_factor,),
    )
    return History(
        space=spaces[0],
        spaces=tuple(spaces),
        equipment=tuple(known),
        zone=ZONE,
        start_s=frame.start_s,
        hour=frame.hour,
        days=frame.days,
        day_of=frame.day_of,
        is_working=frame.is_working,
        power_kw=whole,
        parents={m: "main" for m in whole if m != "main"},
        gauges=gauges or {},
        factors=FACTORS,
        billing=billing if billed else None,
        findings=tuple(findings),
        zones=zones or {},
    )


def chiller_plant(
    load_kw: Floats, power_kw: Floats, entering_c: float = 30.0, supply_c: float = 7.0
) -> tuple[dict[tuple[str, Role], Floats], Equipment]:
    """One machine of 1,000 kW behind the meter `cooling`: flow 100 m3/h, return by the load."""
    gauges = {
        ("ch", Role.ACTIVE_POWER): power_kw,
        ("ch", Role.CHILLED_WATER_FLOW): flat(100.0),
        ("ch", Role.CHILLED_WATER_SUPPLY_TEMPERATURE): flat(supply_c),
        ("ch", Role.CHILLED_WATER_RETURN_TEMPERATURE): supply_c + load_kw / 116.3,
        ("ch", Role.CONDENSER_WATER_ENTERING_TEMPERATURE): flat(entering_c),
    }
    chiller = machine(
        "ch", "Centrifugal_Chiller", fed_by="cooling", rated_cooling_kw=1000, installed_on="2010-01-01"
    )
    return gauges, chiller
