"""A tariff as data: one edition of an energy-price table, parsed strictly from its catalogue file.

What a key means stands beside it in the catalogue. An unknown key, a band without a price or hours that do
not begin at midnight are mistakes, all reported at once. Reading files is left to the caller.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from energy_center.domain.calendars import Festival, FestivalSpan, OffPeakRule, TariffDay, tariff_day
from energy_center.domain.site import Text
from energy_center.errors import ConfigError, NotFound

MINUTES_A_DAY = 24 * 60


def _month_day(text: object) -> tuple[int, int]:
    on = date.fromisoformat(f"2000-{text}")
    return on.month, on.day


def _minute(text: str) -> int:
    hours, _, minutes = text.partition(":")
    minute = 60 * int(hours) + int(minutes)
    if not (len(text) == len("00:00") and 0 <= minute < MINUTES_A_DAY):
        message = f"'{text}' is not a time from 00:00 to 23:59"
        raise ValueError(message)
    return minute


def _known_zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except ZoneInfoNotFoundError as cause:
        message = f"'{text}' is not a time zone of the tz database"
        raise ValueError(message) from cause
    return text


MonthDay = Annotated[tuple[int, int], BeforeValidator(_month_day)]
Amount = Annotated[Decimal, Field(ge=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Text(_Strict):
    zh_tw: str = Field(alias="zh-TW")
    en: str

    def text(self) -> Text:
        return Text(self.zh_tw, self.en)


class Source(_Strict):
    """Where the numbers are from, so that a person can check them."""

    title: str
    clause: str
    published: str
    checked_on: date


class Vat(_Strict):
    """Whether prices hold value-added tax, and its rate (0.05 is 5 %)."""

    included: bool
    rate: Amount


class _Season(_Strict):
    first: MonthDay = Field(alias="from")
    last: MonthDay = Field(alias="to")


class _Festival(_Strict):
    festival: Festival
    first: int = Field(ge=-15, le=15)
    last: int = Field(ge=-15, le=15)


class _OffPeakDays(_Strict):
    fixed: tuple[MonthDay, ...]
    festivals: tuple[_Festival, ...] = ()


class WorkedExample(_Strict):
    """A constant load over a local period and what it costs, worked by hand."""

    name: str
    start: datetime = Field(alias="from")
    end: datetime = Field(alias="to")
    load_kw: Amount
    industry_factor: Amount
    energy_kwh: Mapping[str, Amount]
    amount: Amount


class _File(_Strict):
    tariff_id: str = Field(alias="id", pattern=r"^[a-z0-9-]+$")
    edition: str
    name: _Text
    currency: Literal["TWD", "EUR", "USD", "JPY"]
    time_zone: Annotated[str, AfterValidator(_known_zone)]
    valid_from: date
    valid_to: date | None = None
    vat: Vat
    source: Source
    seasons: Mapping[str, _Season] = {}
    otherwise: str
    bands: Mapping[str, _Text]
    hours: Mapping[str, Mapping[TariffDay, Mapping[str, str]]]
    off_peak_days: _OffPeakDays
    energy_prices: Mapping[str, Mapping[str, Amount]]
    worked_examples: tuple[WorkedExample, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Season:
    """Days of a year by (month, day), both ends included; it may run over New Year."""

    name: str
    first: tuple[int, int]
    last: tuple[int, int]

    def contains(self, on: date) -> bool:
        """Whether a local date belongs to it."""
        day = (on.month, on.day)
        if self.first <= self.last:
            return self.first <= day <= self.last
        return day >= self.first or day <= self.last


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition of a tariff. `valid_to` is the first date on which it no longer holds, None while open.

    `hours[season, day]` lists (minute of the day, band), rising, each until the next. Prices are per kWh.
    """

    tariff_id: str
    edition: str
    name: Text
    currency: str
    zone: ZoneInfo
    valid_from: date
    valid_to: date | None
    vat: Vat
    source: Source
    seasons: tuple[Season, ...]
    otherwise: str
    bands: Mapping[str, Text]
    hours: Mapping[tuple[str, TariffDay], tuple[tuple[int, str], ...]]
    off_peak: OffPeakRule
    energy_prices: Mapping[tuple[str, str], Decimal]
    worked_examples: tuple[WorkedExample, ...]

    def covers(self, on: date) -> bool:
        """Whether the edition is in force on a local date."""
        return self.valid_from <= on and (self.valid_to is None or on < self.valid_to)

    def season(self, on: date) -> str:
        """The season of a local date."""
        return next((s.name for s in self.seasons if s.contains(on)), self.otherwise)

    def season_and_band(self, at: datetime) -> tuple[str, str]:
        """Season and band in force at an instant."""
        local = at.astimezone(self.zone)
        season = self.season(local.date())
        minute = 60 * local.hour + local.minute
        spans = self.hours[season, tariff_day(local.date(), self.off_peak)]
        return season, next(band for start, band in reversed(spans) if start <= minute)


@dataclass(frozen=True, slots=True)
class Tariff:
    """All known editions of one tariff, oldest first, none overlapping."""

    tariff_id: str
    editions: tuple[Edition, ...]

    def edition_at(self, on: date) -> Edition:
        """The edition in force on a local date. Raises NotFound where none is known."""
        for edition in self.editions:
            if edition.covers(on):
                return edition
        raise NotFound(f"No edition of the tariff {self.tariff_id} covers {on.isoformat()}")


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


def _mistakes(file: _File) -> list[str]:
    seasons = {*file.seasons, file.otherwise}
    found = [f"hours: no hours for the season '{s}'" for s in sorted(seasons - file.hours.keys())]
    found += [f"hours: unknown season '{s}'" for s in sorted(file.hours.keys() - seasons)]
    found += [f"energy_prices: unknown season '{s}'" for s in sorted(file.energy_prices.keys() - seasons)]
    if file.valid_to is not None and file.valid_to <= file.valid_from:
        found.append("valid_to: not after valid_from")
    for season in sorted(seasons & file.hours.keys()):
        found += _mistakes_of_season(file, season)
    return found


def _mistakes_of_season(file: _File, season: str) -> list[str]:
    days = file.hours[season]
    priced = set(file.energy_prices.get(season, {}))
    used = {band for spans in days.values() for band in spans.values()}
    found = [f"hours.{season}: no hours for '{day.value}'" for day in TariffDay if day not in days]
    found += [f"hours.{season}: unknown band '{band}'" for band in sorted(used - file.bands.keys())]
    found += [f"energy_prices.{season}: no price for '{band}'" for band in sorted(used - priced)]
    found += [f"energy_prices.{season}: '{band}' has no hours" for band in sorted(priced - used)]
    for day, spans in days.items():
        try:
            minutes = [_minute(time) for time in spans]
        except ValueError as cause:
            found.append(f"hours.{season}.{day.value}: {cause}")
            continue
        if not minutes or minutes[0] != 0 or minutes != sorted(minutes):
            found.append(f"hours.{season}.{day.value}: must begin at 00:00 and rise")
    return found


def _edition(file: _File) -> Edition:
    return Edition(
        tariff_id=file.tariff_id,
        edition=file.edition,
        name=file.name.text(),
        currency=file.currency,
        zone=ZoneInfo(file.time_zone),
        valid_from=file.valid_from,
        valid_to=file.valid_to,
        vat=file.vat,
        source=file.source,
        seasons=tuple(Season(name, s.first, s.last) for name, s in file.seasons.items()),
        otherwise=file.otherwise,
        bands={key: name.text() for key, name in file.bands.items()},
        hours={
            (season, day): tuple((_minute(time), band) for time, band in spans.items())
            for season, days in file.hours.items()
            for day, spans in days.items()
        },
        off_peak=OffPeakRule(
            fixed=frozenset(file.off_peak_days.fixed),
            spans=tuple(FestivalSpan(f.festival, f.first, f.last) for f in file.off_peak_days.festivals),
        ),
        energy_prices={
            (season, band): price
            for season, prices in file.energy_prices.items()
            for band, price in prices.items()
        },
        worked_examples=file.worked_examples,
    )


def join_editions(editions: Sequence[Edition]) -> Tariff:
    """Put a tariff's editions in order; an open one ends where the next begins. Raises ConfigError."""
    ordered = sorted(editions, key=lambda e: e.valid_from)
    joined: list[Edition] = []
    mistakes: list[str] = []
    for edition, following in pairwise([*ordered, None]):
        if edition is None:
            continue
        if following is None:
            joined.append(edition)
            continue
        ends = edition.valid_to or following.valid_from
        if ends > following.valid_from or ends <= edition.valid_from:
            mistakes.append(f"{edition.tariff_id}: editions {edition.edition}, {following.edition} overlap")
        joined.append(replace(edition, valid_to=ends))
    if mistakes:
        raise ConfigError(mistakes)
    return Tariff(ordered[0].tariff_id, tuple(joined))
