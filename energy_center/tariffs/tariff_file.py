"""A catalogue file as a person writes it, parsed strictly into one edition of a tariff.

An unknown key, a band without a price or hours that do not begin at midnight are mistakes, all reported at
once. Reading files is left to the caller.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError

from energy_center.domain.calendars import Festival, FestivalSpan, NthWeekday, OffPeakRule, TariffDay
from energy_center.errors import ConfigError
from energy_center.tariffs.charges import (
    Amount,
    Capacity,
    Customer,
    DemandCharge,
    EnergyAbove,
    Key,
    Levy,
    LineKind,
    NamedPrice,
    PowerFactor,
    Rounding,
    Source,
    Strict,
    Tier,
    Vat,
    Words,
)
from energy_center.tariffs.tariff_model import Charges, Edition, Season, Spans, WorkedExample

MINUTES_A_DAY = 24 * 60
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def month_day(text: object) -> tuple[int, int]:
    """(Month, day) of a text such as 05-16."""
    on = date.fromisoformat(f"2000-{text}")
    return on.month, on.day


def _minute(text: str) -> int:
    hours, _, minutes = text.partition(":")
    minute = 60 * int(hours) + int(minutes)
    if not (len(text) == len("00:00") and 0 <= minute < MINUTES_A_DAY):
        message = f"'{text}' is not a time from 00:00 to 23:59"
        raise ValueError(message)
    return minute


def known_zone(text: str) -> str:
    """The text itself where it names a time zone."""
    try:
        ZoneInfo(text)
    except ZoneInfoNotFoundError as cause:
        message = f"'{text}' is not a time zone of the tz database"
        raise ValueError(message) from cause
    return text


MonthDay = Annotated[tuple[int, int], BeforeValidator(month_day)]
Hours = Mapping[str, str]
DayHours = Mapping[TariffDay, Hours]


class _Season(Strict):
    first: MonthDay = Field(alias="from")
    last: MonthDay = Field(alias="to")


class _Festival(Strict):
    festival: Festival
    first: int = Field(ge=-15, le=15)
    last: int = Field(ge=-15, le=15)


class _NthWeekday(Strict):
    month: int = Field(ge=1, le=12)
    weekday: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    nth: Literal["1", "2", "3", "4", "-1"]


class _OffPeakDays(Strict):
    fixed: tuple[MonthDay, ...]
    festivals: tuple[_Festival, ...] = ()
    weekdays: tuple[_NthWeekday, ...] = ()


class _Example(Strict):
    name: str
    start: datetime = Field(alias="from")
    end: datetime = Field(alias="to")
    load_kw: Amount
    industry_factor: Amount
    energy_kwh: Mapping[str, Amount]
    amount: Amount


class _File(Strict):
    tariff_id: str = Field(alias="id", pattern=r"^[a-z0-9-]+$")
    edition: str
    name: Words
    choice_of: str | None = None
    currency: Literal["TWD", "EUR", "USD", "JPY"]
    unit: Literal["kW.h", "m3"] = "kW.h"
    time_zone: Annotated[str, AfterValidator(known_zone)]
    valid_from: date
    valid_to: date | None = None
    vat: Vat
    source: Source
    seasons: Mapping[str, _Season] = {}
    otherwise: str
    bands: Mapping[Key, Words]
    hours: Mapping[str, DayHours]
    demand_hours: Mapping[str, DayHours] = {}
    told_day_hours: Mapping[str, Hours] = {}
    off_peak_days: _OffPeakDays
    energy_prices: Mapping[str, Mapping[str, Amount]] = {}
    energy_tiers: Mapping[str, tuple[Tier, ...]] = {}
    energy_above: EnergyAbove | None = None
    riders: Mapping[Key, NamedPrice] = {}
    items: Mapping[Key, NamedPrice] = {}
    levies: Mapping[Key, Levy] = {}
    capacity: Capacity | None = None
    customer: Customer | None = None
    demand_charges: tuple[DemandCharge, ...] = ()
    power_factor: PowerFactor | None = None
    minimum_charge: Amount | None = None
    rounding: Rounding = Rounding()
    clauses: Mapping[LineKind, str] = {}
    worked_examples: tuple[_Example, ...] = ()

    @property
    def all_seasons(self) -> set[str]:
        return {*self.seasons, self.otherwise}


def parse_edition(text: str, file_name: str) -> Edition:
    """Parse one catalogue file. Raises ConfigError with every mistake."""
    try:
        # the base loader makes only text, lists and maps: 2.60 stays as written
        file = _File.model_validate(yaml.load(text, Loader=yaml.BaseLoader))  # noqa: S506 - builds no objects
    except yaml.YAMLError as cause:
        raise ConfigError([f"{file_name}: not YAML: {cause}"]) from cause
    except ValidationError as cause:
        raise ConfigError(
            [f"{file_name}: {'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in cause.errors()]
        ) from cause
    mistakes = [f"{file_name}: {mistake}" for mistake in _mistakes(file)]
    if mistakes:
        raise ConfigError(mistakes)
    return _edition(file)


def _mistakes(file: _File) -> Iterator[str]:
    seasons = file.all_seasons
    yield from (f"hours: no hours for the season '{s}'" for s in sorted(seasons - file.hours.keys()))
    for name, part in (
        ("hours", file.hours),
        ("demand_hours", file.demand_hours),
        ("told_day_hours", file.told_day_hours),
        ("energy_prices", file.energy_prices),
        ("energy_tiers", file.energy_tiers),
    ):
        yield from (f"{name}: unknown season '{s}'" for s in sorted(part.keys() - seasons))
    if file.valid_to is not None and file.valid_to <= file.valid_from:
        yield "valid_to: not after valid_from"
    if file.energy_tiers and file.energy_prices:
        yield "energy_tiers: stand in place of energy_prices; write one of them"
    if not file.worked_examples and any(p for prices in file.energy_prices.values() for p in prices.values()):
        yield "worked_examples: at least one is needed"
    for season in sorted(seasons & file.hours.keys()):
        yield from _mistakes_of_season(file, season)
    yield from _mistakes_of_tiers(file)
    yield from _mistakes_of_capacity(file)
    yield from _unknown_bands(file)


def _mistakes_of_season(file: _File, season: str) -> Iterator[str]:
    days = file.hours[season]
    tables = [*days.values(), file.told_day_hours.get(season, {})]
    used = {band for spans in tables for band in spans.values()}
    yield from (f"hours.{season}: no hours for '{day.value}'" for day in TariffDay if day not in days)
    if not file.energy_tiers:
        priced = set(file.energy_prices.get(season, {}))
        yield from (f"energy_prices.{season}: no price for '{band}'" for band in sorted(used - priced))
        yield from (f"energy_prices.{season}: '{band}' has no hours" for band in sorted(priced - used))
    for name, spans in _all_hours(file, season):
        try:
            minutes = [_minute(time) for time in spans]
        except ValueError as cause:
            yield f"{name}: {cause}"
            continue
        if not minutes or minutes[0] != 0 or minutes != sorted(minutes):
            yield f"{name}: must begin at 00:00 and rise"
        yield from (f"{name}: unknown band '{b}'" for b in sorted(set(spans.values()) - file.bands.keys()))


def _all_hours(file: _File, season: str) -> Iterator[tuple[str, Hours]]:
    for name, table in (("hours", file.hours), ("demand_hours", file.demand_hours)):
        for day, spans in table.get(season, {}).items():
            yield f"{name}.{season}.{day.value}", spans
    if season in file.told_day_hours:
        yield f"told_day_hours.{season}", file.told_day_hours[season]


def _mistakes_of_tiers(file: _File) -> Iterator[str]:
    if not file.energy_tiers:
        return
    yield from (
        f"energy_tiers: no tiers for the season '{s}'"
        for s in sorted(file.all_seasons - file.energy_tiers.keys())
    )
    for season, tiers in file.energy_tiers.items():
        ends = [tier.to for tier in tiers]
        inner = [end for end in ends[:-1] if end is not None]
        if not ends or ends[-1] is not None or len(inner) != len(ends) - 1 or inner != sorted(set(inner)):
            yield f"energy_tiers.{season}: `to` must rise, and only the last tier is without it"


def _mistakes_of_capacity(file: _File) -> Iterator[str]:
    capacity = file.capacity
    if capacity is None:
        return
    known = capacity.contracts.keys()
    for season, prices in capacity.prices.items():
        yield from (
            f"capacity.prices.{season}: unknown contract '{k}'" for k in sorted(prices.keys() - known)
        )
    yield from (
        f"capacity.prices: no prices for the season '{s}'"
        for s in sorted(file.all_seasons - capacity.prices.keys())
    )
    yield from (
        f"capacity.prices: unknown season '{s}'" for s in sorted(capacity.prices.keys() - file.all_seasons)
    )
    named = {*capacity.reduced.kinds, *capacity.reduced.of} if capacity.reduced else set()
    yield from (f"capacity.reduced: unknown contract '{k}'" for k in sorted(named - known))
    if capacity.reduced and any(
        len({prices.get(kind) for kind in capacity.reduced.kinds}) > 1 for prices in capacity.prices.values()
    ):
        yield "capacity.reduced: its kinds must have one price in a season"
    yield from _mistakes_of_rounds(file, capacity)


def _mistakes_of_rounds(file: _File, capacity: Capacity) -> Iterator[str]:
    if capacity.over is None:
        return
    yield from (
        f"capacity.over.rounds: none for the season '{s}'"
        for s in sorted(file.all_seasons - capacity.over.rounds.keys())
    )
    for season, rounds in capacity.over.rounds.items():
        where = f"capacity.over.rounds.{season}"
        prices = capacity.prices.get(season, {})
        for step in rounds:
            if step.band not in file.bands:
                yield f"{where}: unknown band '{step.band}'"
            if step.price not in prices:
                yield f"{where}: '{step.price}' has no price in this season"
            yield from (
                f"{where}: unknown contract '{k}'" for k in step.contracts if k not in capacity.contracts
            )


def _unknown_bands(file: _File) -> Iterator[str]:
    for charge in file.demand_charges:
        yield from (
            f"demand_charges: unknown band '{b}'" for b in sorted(set(charge.bands) - file.bands.keys())
        )
        yield from (
            f"demand_charges: unknown season '{s}'" for s in sorted(charge.prices.keys() - file.all_seasons)
        )


def _spans(hours: Hours) -> Spans:
    return tuple((_minute(time), band) for time, band in hours.items())


def _day_table(table: Mapping[str, DayHours]) -> dict[tuple[str, TariffDay], Spans]:
    return {(season, day): _spans(hours) for season, days in table.items() for day, hours in days.items()}


def _edition(file: _File) -> Edition:
    return Edition(
        tariff_id=file.tariff_id,
        edition=file.edition,
        name=file.name.text(),
        choice_of=file.choice_of,
        currency=file.currency,
        unit=file.unit,
        zone=ZoneInfo(file.time_zone),
        valid_from=file.valid_from,
        valid_to=file.valid_to,
        vat=file.vat,
        source=file.source,
        seasons=tuple(Season(name, s.first, s.last) for name, s in file.seasons.items()),
        otherwise=file.otherwise,
        bands={key: name.text() for key, name in file.bands.items()},
        hours=_day_table(file.hours),
        off_peak=_off_peak(file.off_peak_days),
        energy_prices={
            (season, band): price
            for season, prices in file.energy_prices.items()
            for band, price in prices.items()
        },
        worked_examples=tuple(WorkedExample.model_validate(e.model_dump()) for e in file.worked_examples),
        charges=_charges(file),
        demand_hours=_day_table(file.demand_hours),
        told_hours={season: _spans(hours) for season, hours in file.told_day_hours.items()},
    )


def _charges(file: _File) -> Charges:
    return Charges(
        capacity=file.capacity,
        customer=file.customer,
        demand=file.demand_charges,
        tiers=file.energy_tiers,
        energy_above=file.energy_above,
        riders=file.riders,
        items=file.items,
        levies=file.levies,
        power_factor=file.power_factor,
        minimum=file.minimum_charge,
        rounding=file.rounding,
        clauses=file.clauses,
    )


def _off_peak(days: _OffPeakDays) -> OffPeakRule:
    return OffPeakRule(
        fixed=frozenset(days.fixed),
        spans=tuple(FestivalSpan(f.festival, f.first, f.last) for f in days.festivals),
        weekdays=tuple(NthWeekday(w.month, WEEKDAYS.index(w.weekday), int(w.nth)) for w in days.weekdays),
    )
