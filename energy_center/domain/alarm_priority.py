"""How urgent an alarm is: by what happens if nobody acts, and how soon one must (ANSI/ISA-18.2-2016, 9.2).

The table that the priorities of rules follow; a rule's author picks a cell, never a priority.
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from energy_center.domain.alarms import Priority


class Consequence(StrEnum):
    """What happens if nobody acts."""

    HARM = "harm"  # to people
    DAMAGE = "damage"  # to the building or to equipment
    LOSS = "loss"  # of service, comfort, or money that grows
    WASTE = "waste"  # of energy or water, and of knowledge


class Respond(StrEnum):
    """How soon somebody must act to avoid it."""

    NOW = "now"
    TODAY = "today"
    THIS_WEEK = "this_week"
    NEXT_VISIT = "next_visit"


# The longest time for each, which is also the target for acknowledging.
WITHIN: Mapping[Respond, timedelta] = MappingProxyType(
    {
        Respond.NOW: timedelta(minutes=10),
        Respond.TODAY: timedelta(hours=8),
        Respond.THIS_WEEK: timedelta(days=7),
        Respond.NEXT_VISIT: timedelta(days=30),
    }
)

_CRITICAL, _HIGH, _MEDIUM, _LOW = Priority
_ROWS = {
    Consequence.HARM: (_CRITICAL, _CRITICAL, _HIGH, _MEDIUM),
    Consequence.DAMAGE: (_CRITICAL, _HIGH, _MEDIUM, _MEDIUM),
    Consequence.LOSS: (_HIGH, _HIGH, _MEDIUM, _LOW),
    Consequence.WASTE: (_HIGH, _MEDIUM, _LOW, _LOW),
}
_TABLE = {c: dict(zip(Respond, row, strict=True)) for c, row in _ROWS.items()}


def priority_of(consequence: Consequence, respond: Respond) -> Priority:
    """The cell of the table."""
    return _TABLE[consequence][respond]
