"""The same period last year, day against like day: weekday against weekday, festival against festival.

A month with five Mondays, or New Year in January instead of February, must not pass for a saving.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from energy_center.domain.calendars import GovernmentCalendar

YEAR_OF_WEEKS = timedelta(days=364)  # the same weekday
_WEEK = timedelta(days=7)
_FURTHEST = 4  # weeks either side in which a like day is looked for
_HOLIDAY_WITHIN = 45  # days by which a festival of the lunar calendar moves


def like_day(on: date, calendar: GovernmentCalendar) -> date | None:
    """The day of the year before that is like this one, or None where there is none within four weeks.

    A holiday is compared with the holiday of the same name; any other day with the nearest of the same
    weekday that is a working day exactly if this one is.
    """
    name = calendar.holiday_name(on)
    if name is not None:
        return _same_holiday(on, name, calendar)
    about = on - YEAR_OF_WEEKS
    for weeks in range(_FURTHEST + 1):
        for candidate in (about - weeks * _WEEK, about + weeks * _WEEK):
            is_like = calendar.is_working_day(candidate) == calendar.is_working_day(on)
            if is_like and not calendar.is_holiday(candidate):
                return candidate
    return None


def _same_holiday(on: date, name: str, calendar: GovernmentCalendar) -> date | None:
    """The day of the same name nearest to a year ago; of a run of days of one name, the one at its place."""
    here = _run(on, name, calendar)
    about = on.replace(day=min(on.day, 28), year=on.year - 1)
    near = [about + timedelta(days=offset) for offset in range(-_HOLIDAY_WITHIN, _HOLIDAY_WITHIN + 1)]
    named = [day for day in near if calendar.holiday_name(day) == name]
    place = here.index(on)
    return named[min(place, len(named) - 1)] if named else None


def _run(on: date, name: str, calendar: GovernmentCalendar) -> list[date]:
    around = [on + timedelta(days=offset) for offset in range(-10, 11)]
    return [day for day in around if calendar.holiday_name(day) == name]


@dataclass(frozen=True, slots=True)
class DayEnergy:
    """Consumption of a local day, kWh; None where unknown. `coverage` 0..1."""

    energy_kwh: float | None
    coverage: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sums over pairs of like days, kWh; only days that both years know well are in them.

    `pairs` counts them, `left_out` the days of this period without a like day or without its data.
    """

    now_kwh: float
    then_kwh: float
    pairs: int
    left_out: tuple[date, ...]

    @property
    def change_share(self) -> float | None:
        """Change since last year: -0.05 is 5 % less. None without pairs or where last year had nothing."""
        return (self.now_kwh - self.then_kwh) / self.then_kwh if self.pairs and self.then_kwh > 0 else None


def compare_days(
    days: Iterable[date],
    energies: Mapping[date, DayEnergy],
    calendar: GovernmentCalendar,
    least_coverage: float,
) -> Comparison:
    """Compare the days of a period with the like days of the year before."""
    now = then = 0.0
    pairs = 0
    left_out = list[date]()
    for on in days:
        other = like_day(on, calendar)
        here, there = _known(energies, on, least_coverage), _known(energies, other, least_coverage)
        if here is None or there is None:
            left_out.append(on)
            continue
        now, then, pairs = now + here, then + there, pairs + 1
    return Comparison(now, then, pairs, tuple(left_out))


def _known(energies: Mapping[date, DayEnergy], on: date | None, least_coverage: float) -> float | None:
    found = energies.get(on) if on is not None else None
    return found.energy_kwh if found is not None and found.coverage >= least_coverage else None
