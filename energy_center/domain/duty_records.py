"""Duties as a site has taken them on, and what was recorded for each due date."""

from dataclasses import dataclass
from datetime import date, datetime

from energy_center.domain.duties import Deed, Duty, Evidence


@dataclass(frozen=True, slots=True)
class Adoption:
    """A duty taken on for one thing: a space, an equipment, or a name such as a number plate.

    Due dates count from `starts_on`, which may be one itself. `version` rises with every change.
    """

    adoption_id: int
    duty_id: str
    subject_id: str
    starts_on: date
    recurrence: str
    responsible: str
    version: int
    adopted_by: str
    adopted_at: datetime
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class Paper:
    """What proves a deed: a file that was added, or the number under which it is kept elsewhere."""

    kind: Evidence
    attachment_id: int | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True)
class DutyRecord:
    """What was recorded for a due date; `undone_at` None while it holds."""

    deed_id: int
    adoption_id: int
    deed: Deed
    done_by: str
    note: str
    papers: tuple[Paper, ...]
    recorded_by: str
    recorded_at: datetime
    undone_at: datetime | None


def missing_papers(duty: Duty, papers: tuple[Paper, ...]) -> tuple[Evidence, ...]:
    """The kinds of paper that the duty demands and nobody has given."""
    given = {paper.kind for paper in papers}
    return tuple(kind for kind in duty.evidence if kind not in given)
