"""Reads the shipped catalogues of recurring duties; a mistake is reported with its file and line."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from energy_center.config.documents import read_yaml, validate
from energy_center.config.fields import Id, Name, Seconds, Strict
from energy_center.domain.alarms import Priority
from energy_center.domain.duties import Basis, Duty, Evidence, OnDayOff, Subject, check_recurrence
from energy_center.errors import ConfigError

CATALOGUES = Path(__file__).with_name("duties")
_DAY_S = 86_400.0


def _checked(rule: str) -> str:
    check_recurrence(rule)
    return rule


def _whole_days(seconds: float) -> float:
    if seconds % _DAY_S:
        raise ValueError("a number of whole days is needed, such as 60d")
    return seconds


Recurrence = Annotated[str, AfterValidator(_checked), WithJsonSchema({"type": "string"})]
Days = Annotated[Seconds, AfterValidator(_whole_days)]


class DutyEntry(Strict):
    """One duty as written."""

    id: Id
    name: Name
    subject: Subject
    basis: Basis
    source: Name
    recurrence: Recurrence
    opens: Days
    grace: Days = 0.0
    on_day_off: OnDayOff = OnDayOff.EARLIER
    priority: Priority
    evidence: tuple[Evidence, ...] = Field(min_length=1)
    who: Name
    confirmed: bool

    def resolved(self) -> Duty:
        """The duty that it describes."""
        return Duty(
            duty_id=self.id,
            name=self.name,
            subject=self.subject,
            basis=self.basis,
            source=self.source,
            recurrence=self.recurrence,
            opens_days=int(self.opens // _DAY_S),
            grace_days=int(self.grace // _DAY_S),
            on_day_off=self.on_day_off,
            priority=self.priority,
            evidence=self.evidence,
            who=self.who,
            is_confirmed=self.confirmed,
        )


class DutyCatalogue(Strict):
    """The duties of one country, ISO 3166."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    duties: tuple[DutyEntry, ...]


def load_duties(path: Path) -> tuple[Duty, ...]:
    """The duties of one file, in its order. Raises ConfigError with all mistakes."""
    document = read_yaml(path)
    catalogue = validate(document, DutyCatalogue)
    if catalogue is not None:
        seen: set[str] = set()
        for index, entry in enumerate(catalogue.duties):
            if entry.id in seen:
                document.mistake(("duties", index, "id"), f"duty '{entry.id}' is given twice")
            seen.add(entry.id)
    if catalogue is None or document.mistakes:
        raise ConfigError([str(mistake) for mistake in document.mistakes])
    return tuple(entry.resolved() for entry in catalogue.duties)


@lru_cache(maxsize=1)
def shipped_duties() -> dict[str, Duty]:
    """Every shipped duty by id."""
    found = [duty for path in sorted(CATALOGUES.glob("*.yaml")) for duty in load_duties(path)]
    return {duty.duty_id: duty for duty in found}
