"""The period of a question about energy: from and to, with what they are when left out."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Query
from pydantic import AwareDatetime

from energy_center.domain.timeline import Interval
from energy_center.errors import Invalid

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # no reading is older
_AHEAD = timedelta(days=366)
_MONTH = timedelta(days=31)

From = Annotated[AwareDatetime | None, Query(alias="from", description="31 days before `to` when left out.")]
To = Annotated[AwareDatetime | None, Query(description="Now when left out; not included.")]


def period_asked(start: datetime | None, end: datetime | None, now: datetime) -> Interval:
    """The period, or Invalid for one that no reading can be in."""
    until = end or now
    if not _EARLIEST < until <= now + _AHEAD:
        raise Invalid("`to` must lie between the year 2000 and a year from now.")
    since = start or max(until - _MONTH, _EARLIEST)
    if not _EARLIEST <= since < until:
        raise Invalid("`from` must lie before `to`, and not before the year 2000.")
    return Interval(since, until)
