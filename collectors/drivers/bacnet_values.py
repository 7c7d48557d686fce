"""BACnet values and ours: present values to numbers in the role's unit and back, flags to quality. Pure.

Source: ASHRAE 135-2020, 12 (object types), 20.2 (encoding).
"""

from typing import Any

import numpy as np
from bacpypes3.basetypes import BinaryPV, ErrorType
from bacpypes3.primitivedata import Double, Integer, Null, ObjectIdentifier, Real, Unsigned

from collectors.driver import Sample
from collectors.drivers.bacnet_wire import Found
from collectors.plan_objects import source_of
from energy_center.config.bacnet_words import FLAG_BITS
from energy_center.config.bindings import BacnetSource, PointBinding
from energy_center.domain.readings import Quality

FLAGS = "status-flags"
PRESENT = "present-value"

Place = tuple[str, int]


def place_of(binding: PointBinding) -> Place:
    """The binding's object by type and instance."""
    source = source_of(binding)
    return (source.object_type, source.instance)


def identifier_of(binding: PointBinding) -> ObjectIdentifier:
    """The binding's object as the library names it."""
    source = source_of(binding)
    return ObjectIdentifier(f"{source.object_type},{source.instance}")


def number_of(raw: Any) -> float:  # noqa: ANN401  a BACnet value
    """The number that a value stands for; NaN for none, an error, or what is no number."""
    if raw is None or isinstance(raw, ErrorType | Null):
        return float("nan")
    if hasattr(raw, "get_value"):  # a schedule's present value is of any type
        raw = raw.get_value()
    try:
        return float(raw)
    except (TypeError, ValueError):
        return float("nan")


def stored(binding: PointBinding, raw: Any) -> float:  # noqa: ANN401  a BACnet value
    """A raw value as it is stored: in the role's unit, or its state."""
    number = number_of(raw)
    states = source_of(binding).states
    if states and np.isfinite(number):
        number = states.get(int(number), number)
    scaled = binding.scaling(number)
    return scaled if np.isfinite(scaled) else float("nan")


def properties_of(source: BacnetSource, *, has_flags: bool = True) -> tuple[str, ...]:
    """What is asked for: the flags say how good a present value is, and are values themselves."""
    if source.property in FLAG_BITS:
        return (FLAGS,)
    return (source.property, FLAGS) if source.property == PRESENT and has_flags else (source.property,)


def raw_of(source: BacnetSource, found: Found) -> Any:  # noqa: ANN401  a BACnet value
    """What was read for a source: a value, an error, or None."""
    place = (source.object_type, source.instance)
    if source.property not in FLAG_BITS:
        return found.get((*place, source.property))
    flags = found.get((*place, FLAGS))
    if flags is None or isinstance(flags, ErrorType):
        return flags
    bits = list(flags)
    bit = FLAG_BITS[source.property]
    return bits[bit] if bit < len(bits) else None


def quality_of(flags: Any) -> Quality:  # noqa: ANN401  a BACnet bit string
    """A sensor that is faulty, or a value that is not the sensor's: set by hand there, or out of service."""
    set_flags = {name for (name, _), bit in zip(FLAG_BITS.items(), flags, strict=False) if bit}
    quality = Quality.GOOD
    if "fault" in set_flags:
        quality |= Quality.SENSOR_FAULT
    if set_flags & {"overridden", "out-of-service"}:
        quality |= Quality.SUBSTITUTED
    return quality


def sample_of(bindings: tuple[PointBinding, ...], found: Found, at: float) -> Sample:
    """What was found, in the order of the bindings; NaN where there is no value."""
    values = np.full(len(bindings), np.nan)
    quality = np.zeros(len(bindings), dtype=np.int16)
    for i, binding in enumerate(bindings):
        source = source_of(binding)
        values[i] = stored(binding, raw_of(source, found))
        flags = found.get((*place_of(binding), FLAGS))
        if source.property == PRESENT and flags is not None and not isinstance(flags, ErrorType):
            quality[i] = int(quality_of(flags))
    return Sample(at, values, quality)


def encoded(binding: PointBinding, wanted: float) -> Any:  # noqa: ANN401  a BACnet value
    """A value in the role's unit as the object's present value is written."""
    source = source_of(binding)
    number = (wanted - binding.scaling.offset) / binding.scaling.factor
    if source.states:
        number = next((raw for raw, state in source.states.items() if state == wanted), number)
    kind = source.object_type
    if kind.startswith("analog"):
        return Real(number)
    if kind.startswith("binary"):
        return BinaryPV(int(number > 0.5))  # noqa: PLR2004  halfway between off and on
    if kind == "large-analog-value":
        return Double(number)
    return Integer(round(number)) if kind == "integer-value" else Unsigned(round(number))


def slot_number(binding: PointBinding, slot: Any) -> float | None:  # noqa: ANN401  a BACnet value
    """What a slot of the priority array holds, in the role's unit; None for Null."""
    chosen = getattr(slot, "_choice", None)
    if chosen is None or chosen == "null":
        return None
    held = stored(binding, getattr(slot, chosen))
    return None if np.isnan(held) else held
