"""Objects that may be commanded: a priority array of sixteen slots above what the controller's program says.

Source: ASHRAE 135-2020, 19.2 (command prioritization). A slot that holds a value decides, the lowest first.
"""

from collections.abc import Callable
from typing import Any

from bacpypes3.basetypes import BinaryPV, PriorityArray, PriorityValue
from bacpypes3.errors import ExecutionError
from bacpypes3.primitivedata import Null, Real, TagClass, Unsigned

SLOTS = 16
_NULL_TAG = 0  # application tag of Null, 20.2.1.4


def is_commandable(signal: str) -> bool:
    """Schedules and the set-points that the simulated world follows."""
    return signal in ("schedule", "zone_temperature_setpoint", "supply_air_temperature_setpoint")


def _holds_null(written: Any) -> bool:  # noqa: ANN401  an encoded BACnet value
    """Whether the one application tag inside is Null; opening and closing tags may stand around it."""
    return any(t.tag_class == TagClass.application and t.tag_number == _NULL_TAG for t in written.tagList)


class Slots:
    """The priority array of one object; tells what is in force whenever that changes."""

    def __init__(self, kind: str, in_force: Callable[[float | None], None]) -> None:
        """`kind` is `analog` or `binary`."""
        self._kind = kind
        self._in_force = in_force
        self._held: dict[int, float] = {}

    @property
    def commanded(self) -> float | None:
        """The value of the slot that decides; None while the program does."""
        return self._held[min(self._held)] if self._held else None

    def write(self, written: Any, priority: int) -> None:  # noqa: ANN401  an encoded BACnet value
        """Fill a slot, or empty it by Null; raises ExecutionError for a value of another type."""
        before = self.commanded
        if _holds_null(written):
            self._held.pop(priority, None)
        else:
            self._held[priority] = self._number(written)
        if self.commanded != before:
            self._in_force(self.commanded)

    def _number(self, written: Any) -> float:  # noqa: ANN401  an encoded BACnet value
        try:
            return float(written.cast_out(Real if self._kind == "analog" else BinaryPV))
        except Exception as cause:  # the library raises several kinds for a wrong tag
            raise ExecutionError(errorClass="property", errorCode="invalidDataType") from cause

    def as_property(self, index: int | None) -> Any:  # noqa: ANN401  a BACnet value
        """The array, its length for index 0, or one slot."""
        if index == 0:
            return Unsigned(SLOTS)
        if index is not None:
            return self._slot(index)
        return PriorityArray([self._slot(n) for n in range(1, SLOTS + 1)])

    def _slot(self, priority: int) -> PriorityValue:
        held = self._held.get(priority)
        if held is None:
            return PriorityValue(null=Null(()))
        if self._kind == "analog":
            return PriorityValue(real=Real(held))
        return PriorityValue(enumerated=BinaryPV(int(held > 0.5)))
