"""Requested writes to equipment: what a point allows, and the states of a request.

A request names its own end. Whatever happens in between, the point is handed back to its controller then.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import isfinite
from typing import NewType
from uuid import UUID

from energy_center.errors import Invalid

CommandId = NewType("CommandId", int)

# ASHRAE 135-2020, 19.2: 1 and 2 are life safety, 5 protects the equipment, 8 is the operator's by hand
FIRST_FREE_PRIORITY, LAST_PRIORITY = 7, 16
PROGRAM_PRIORITY = 12  # below the operator's panel, above the controller's own programs at 16


@dataclass(frozen=True, slots=True)
class WriteLimits:
    """What may be written to a point: values in the role's unit, the priority, and for how long at most."""

    low: float
    high: float
    priority: int = PROGRAM_PRIORITY
    longest_s: float = 14_400.0

    def check(self, wanted: float, now: datetime, expires_at: datetime) -> None:
        """Raise Invalid, with the limits as facts, for a value or an end that is not allowed."""
        if not isfinite(wanted) or not self.low <= wanted <= self.high:
            raise Invalid(
                f"The value must lie between {self.low:g} and {self.high:g}.", low=self.low, high=self.high
            )
        longest = timedelta(seconds=self.longest_s)
        if not now < expires_at <= now + longest:
            raise Invalid(f"It must end within {longest} from now.", longest_s=self.longest_s)


class CommandState(StrEnum):
    """Where a request stands. `WRITING` may have reached the device; only the last five are ends."""

    REQUESTED = "requested"
    WRITING = "writing"
    ACTIVE = "active"
    RELINQUISHED = "relinquished"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FAILED = "failed"
    SUPERSEDED = "superseded"

    @property
    def is_open(self) -> bool:
        """Whether something is still to be done about it."""
        return self in (CommandState.REQUESTED, CommandState.WRITING, CommandState.ACTIVE)


@dataclass(frozen=True, slots=True)
class Command:
    """One requested write; `wanted`, `low`, `high` and `read_back` are in the point's unit.

    `may_be_held` says that the device may hold our value, so that its end includes handing the point back.
    `refusal` is why the device or the collector would not do it.
    """

    command_id: CommandId
    client_id: UUID | None
    point_id: int
    equipment_id: str
    point: str
    unit: str
    wanted: float
    low: float
    high: float
    priority: int
    reason: str
    state: CommandState
    requested_by: str
    requested_at: datetime
    expires_at: datetime
    cancelled_by: str | None
    cancelled_at: datetime | None
    written_at: datetime | None
    read_back: float | None
    read_back_at: datetime | None
    ended_at: datetime | None
    may_be_held: bool
    refusal: str | None
    detail: str
    attempts: int

    @property
    def key(self) -> tuple[str, str]:
        """The point, by equipment and name."""
        return (self.equipment_id, self.point)

    def ends(self, now: datetime) -> bool:
        """Whether the point is to be handed back."""
        return self.cancelled_at is not None or self.refusal is not None or now >= self.expires_at

    @property
    def end_state(self) -> CommandState:
        """How it ends, once it is to end."""
        if self.refusal is not None:
            return CommandState.FAILED
        if self.may_be_held:
            return CommandState.RELINQUISHED
        return CommandState.EXPIRED if self.cancelled_at is None else CommandState.CANCELLED
