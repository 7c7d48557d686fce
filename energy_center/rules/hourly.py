"""A meter's hours as the rules on its own habit read them: energy, warmth, what kind of day it was."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from energy_center.analysis.hour_of_week import SATURDAY, Floats, Ints
from energy_center.domain.calendars import GovernmentCalendar
from energy_center.rules.window import US, Frame, Signal

HOUR_US = 3_600 * US
EPOCH, SUNDAY = date(1970, 1, 1), 6
# elsewhere public holidays count as what weekday they fall on
COUNTRY_OF_ZONE = {"Asia/Taipei": "TW"}
# roll-ups of the last hour may still be on their way
LATE_H = 1


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours in rising order, each array of shape (n,); `marks` are the frame's steps at which they end.

    `kind` is 0 for a working day and 6 for any other; `hour` and `weekday` are local, of the hour's start.
    """

    marks: Ints
    energy_kwh: Floats
    outdoor_c: Floats
    weekday: Ints
    kind: Ints
    hour: Ints

    def mondays(self) -> Ints:
        """The hours with which local weeks begin."""
        return np.flatnonzero((self.weekday == 0) & (self.hour == 0))

    def per_step(self, hourly: Floats, steps: int) -> Floats:
        """An hourly figure at each of the frame's steps, as it is known an hour later."""
        place = np.searchsorted(self.marks, np.arange(steps), side="right") - 1 - LATE_H
        return np.where(place >= 0, hourly[np.maximum(place, 0)], np.nan)


def hours_of(frame: Frame) -> Hours | None:
    """From the inputs `energy` (a register) and `outdoor` (where there is one); None without a full hour."""
    marks = np.flatnonzero(frame.times % HOUR_US == 0)
    if len(marks) == 0:
        return None
    energy = Signal(frame["energy"].values[marks]).rise(1).values
    outdoor = frame["outdoor"].values[marks] if frame.has("outdoor") else np.zeros(len(marks))
    # an hour is named by its start
    begun = Frame(frame.times[marks] - HOUR_US, 3_600.0, {}, frame.zone)
    hour = begun.local_hours().astype(np.int64)
    return Hours(marks, energy, outdoor, begun.local_weekdays(), _kinds_of_day(begun), hour)


def _kinds_of_day(begun: Frame) -> Ints:
    """By the country's calendar where the zone tells it."""
    weekday = begun.local_weekdays()
    country = COUNTRY_OF_ZONE.get(begun.zone.key)
    if country is None:
        return np.where(weekday >= SATURDAY, SUNDAY, 0)
    calendar = GovernmentCalendar(country)
    days, place = np.unique(begun.local_days(), return_inverse=True)
    works = np.array([calendar.is_working_day(EPOCH + timedelta(days=int(day))) for day in days])
    return np.where(works[place], 0, SUNDAY)
