"""The utility's demand-response programmes: what a call was worth, from the demand before and during it.

A programme is data: who may be called when, how the baseline is made, what counts and what is paid.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import numpy as np
import yaml
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError

from energy_center.domain.calendars import TariffDay, tariff_day
from energy_center.errors import ConfigError, Invalid
from energy_center.tariffs.bill_model import WHOLE
from energy_center.tariffs.charges import Amount, Source, Strict, Words
from energy_center.tariffs.measure import Floats, Measured
from energy_center.tariffs.tariff_file import known_zone, month_day
from energy_center.tariffs.tariff_model import Edition, Season

_LOOK_BACK = 60  # days in which the baseline's days must be found
_CENT = Decimal("0.01")


class _Span(Strict):
    first: Annotated[tuple[int, int], BeforeValidator(month_day)] = Field(alias="from")
    last: Annotated[tuple[int, int], BeforeValidator(month_day)] = Field(alias="to")


class Baseline(Strict):
    """The mean of a number of earlier days' demand in the hours of the call."""

    days: Annotated[int, Field(ge=1, le=20)]
    of: Literal["highest", "mean"]


class Programme(Strict):
    """One edition of a programme. Saturdays and off-peak days of the tariff `calendar` do not count."""

    programme_id: str = Field(alias="id", pattern=r"^[a-z0-9-]+$")
    edition: str
    name: Words
    currency: Literal["TWD", "EUR", "USD", "JPY"]
    time_zone: Annotated[str, AfterValidator(known_zone)]
    source: Source
    calendar: str
    season: _Span
    hours: tuple[Amount, ...] = Field(min_length=1)
    most_hours_a_month: Amount
    most_price: Amount
    least_kw: Amount
    baseline: Baseline
    achieved: Literal["highest", "mean"]


def parse_programme(text: str, file_name: str) -> Programme:
    """Parse one file. Raises ConfigError with every mistake."""
    try:
        # the base loader makes only text, lists and maps: 8.50 stays as written
        return Programme.model_validate(yaml.load(text, Loader=yaml.BaseLoader))  # noqa: S506 - builds no objects
    except yaml.YAMLError as cause:
        raise ConfigError([f"{file_name}: not YAML: {cause}"]) from cause
    except ValidationError as cause:
        raise ConfigError(
            [f"{file_name}: {'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in cause.errors()]
        ) from cause


@dataclass(frozen=True, slots=True)
class Call:
    """The utility asks for less from `start` on, `hours` long, at `price` per kWh."""

    start: datetime
    hours: Decimal
    price: Decimal


class Outcome(StrEnum):
    """What a call came to."""

    PAID = "paid"
    TOO_LITTLE = "too_little"  # below the least that counts
    UNKNOWN = "unknown"  # demand of the call or of the baseline's days was not wholly measured


@dataclass(frozen=True, slots=True)
class Settled:
    """A call with its baseline and what was achieved, kW; None where not known. `days` are the baseline's."""

    call: Call
    days: tuple[date, ...]
    baseline_kw: Decimal | None
    demand_kw: Decimal | None
    achieved_kw: Decimal | None
    payment: Decimal
    outcome: Outcome


def settle(programme: Programme, calendar: Edition, calls: Sequence[Call], series: Measured) -> list[Settled]:
    """Every call in order. Raises Invalid for a call that the programme does not allow."""
    zone = ZoneInfo(programme.time_zone)
    _check(programme, zone, calls)
    called = {call.start.astimezone(zone).date() for call in calls}
    return [
        _settle(programme, calendar, call, called, series) for call in sorted(calls, key=lambda c: c.start)
    ]


def _check(programme: Programme, zone: ZoneInfo, calls: Sequence[Call]) -> None:
    season = Season("calls", programme.season.first, programme.season.last)
    hours: dict[tuple[int, int], Decimal] = {}
    days: set[date] = set()
    for call in calls:
        on = call.start.astimezone(zone).date()
        if not season.contains(on):
            raise Invalid(f"{programme.programme_id}: {on} is outside the programme's season")
        if call.hours not in programme.hours:
            allowed = ", ".join(str(h) for h in programme.hours)
            raise Invalid(f"{programme.programme_id}: a call lasts {allowed} h, found {call.hours}")
        if call.price > programme.most_price:
            raise Invalid(
                f"{programme.programme_id}: at most {programme.most_price} per kWh, found {call.price}"
            )
        if on in days:
            raise Invalid(f"{programme.programme_id}: one call a day, found two on {on}")
        days.add(on)
        month = (on.year, on.month)
        hours[month] = hours.get(month, Decimal(0)) + call.hours
        if hours[month] > programme.most_hours_a_month:
            raise Invalid(
                f"{programme.programme_id}: at most {programme.most_hours_a_month} h a month, "
                f"found {hours[month]} in {on:%Y-%m}"
            )


def _settle(
    programme: Programme, calendar: Edition, call: Call, called: set[date], series: Measured
) -> Settled:
    zone = ZoneInfo(programme.time_zone)
    days = _baseline_days(programme, calendar, call.start.astimezone(zone).date(), called)
    before = [_demand(programme.baseline.of, _same_hours(call, on, zone), call.hours, series) for on in days]
    during = _demand(programme.achieved, call.start, call.hours, series)
    known = [kw for kw in before if kw is not None]
    if during is None or len(known) < programme.baseline.days:
        return Settled(call, days, None, during, None, Decimal(0), Outcome.UNKNOWN)
    baseline = sum(known, Decimal(0)) / len(known)
    achieved = max(Decimal(0), baseline - during)
    if achieved < programme.least_kw:
        return Settled(call, days, baseline, during, achieved, Decimal(0), Outcome.TOO_LITTLE)
    payment = (achieved * call.hours * call.price).quantize(_CENT, ROUND_HALF_UP)
    return Settled(call, days, baseline, during, achieved, payment, Outcome.PAID)


def _baseline_days(programme: Programme, calendar: Edition, on: date, called: set[date]) -> tuple[date, ...]:
    earlier = [on - timedelta(days=n) for n in range(1, _LOOK_BACK + 1)]
    usable = [
        day
        for day in earlier
        if day not in called and tariff_day(day, calendar.off_peak) is TariffDay.WEEKDAY
    ]
    return tuple(usable[: programme.baseline.days])


def _same_hours(call: Call, on: date, zone: ZoneInfo) -> datetime:
    clock: time = call.start.astimezone(zone).time()
    return datetime.combine(on, clock, tzinfo=zone)


def _demand(of: str, start: datetime, hours: Decimal, series: Measured) -> Decimal | None:
    """Highest or mean demand of the quarter-hours from `start` on, None unless all were measured."""
    begin = round(start.timestamp())
    low, high = np.searchsorted(series.start_s, (begin, begin + round(float(hours) * 3600)))
    demand: Floats = series.demand_kw[low:high]
    whole = len(demand) == round(float(hours) * 3600 / series.step_s)
    if not whole or np.isnan(demand).any() or series.coverage[low:high].min() < WHOLE:
        return None
    return Decimal(f"{float(np.max(demand) if of == 'highest' else np.mean(demand)):.3f}")
