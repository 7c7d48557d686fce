"""Two years of duties for the demo: most done in time, a few late, a few still open.

Their papers say that they are the demo's.
"""

from datetime import date, datetime, timedelta

from energy_center.domain.duty_records import Paper
from energy_center.domain.people import Actor
from energy_center.services.adopt_duties import adopt_catalogue
from energy_center.services.duties import AdoptedDuty, DueDate, WantedDeed, read_due, record
from energy_center.store.pool import Database

_LATE_EVERY, _LEFT_EVERY = 23, 41  # of the due dates, counted through all duties
_LATE = timedelta(days=9)
_NOT_YET = timedelta(days=12)  # the newest due dates are still to be done


async def give_duties(database: Database, actor: Actor, today: date, now: datetime) -> None:
    """Take the catalogue on from the beginning of last year and record what was done, if nothing is yet."""
    if not await adopt_catalogue(database, date(today.year - 1, 1, 1), actor, now):
        return
    number = 0
    for row in await read_due(database, timedelta(0), now):
        for at in row.dates:
            number += 1
            if number % _LEFT_EVERY and at.due.due_on < today - _NOT_YET:
                await _record(database, row, at, number, actor, now)


async def _record(
    database: Database, row: AdoptedDuty, at: DueDate, number: int, actor: Actor, now: datetime
) -> None:
    before = min(timedelta(days=3), at.due.due_on - at.due.opens_on)
    done_on = at.due.last_on + _LATE if number % _LATE_EVERY == 0 else at.due.due_on - before
    papers = tuple(Paper(kind, reference=f"DEMO-{number:05d}") for kind in row.duty.evidence)
    deed = WantedDeed(at.due.due_on, done_on, False, "DEMO", "", papers)  # noqa: FBT003 not waived
    await record(database, row.adoption.adoption_id, deed, actor, now)
