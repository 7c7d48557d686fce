"""Which BACnet objects are read in one request, and what a request takes of its device or line. Pure.

Source: ASHRAE 135-2020, 9.3 (MS/TP frames), 9.5.6 (token), 15.7 and 20.2 (ReadPropertyMultiple).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from energy_center.config.bindings import BacnetIp, BacnetSource, PointBinding

OBJECTS_A_REQUEST = 30  # with both properties the answer stays below one 1476-octet APDU
MSTP_APDU = 480  # the longest of an MS/TP frame of 501 octets
# Of an answer: object identifier and list tags 7, each property with its tags 4; the longest present value
# (a double) 10, status flags 3. Of a request: object identifier and list tags 7, two properties of 2.
_OCTETS_AN_OBJECT, _OCTETS_A_HEAD = 28, 8
_ASKED_AN_OBJECT = 11
_FRAME_OCTETS, _ROUTED_OCTETS = 10, 12  # of MS/TP; of the NPDU that names the far network
_BITS_AN_OCTET = 10
_TOKEN_BITS = 8 * _BITS_AN_OCTET + 40  # a token frame and the turnaround after it, each station once


@dataclass(frozen=True, slots=True)
class ObjectBlock:
    """Objects of one device that are read in one request."""

    device_id: str
    interval_s: float
    bindings: tuple[PointBinding, ...]


def source_of(binding: PointBinding) -> BacnetSource:
    """The binding's object; any other protocol is a bug of the caller."""
    if not isinstance(binding.source, BacnetSource):
        raise TypeError(f"{binding.key} is not a BACnet point")
    return binding.source


def objects_within(max_apdu: int) -> int:
    """How many objects, each with value and flags, fit into an unsegmented answer of so many octets."""
    return max(1, min(OBJECTS_A_REQUEST, (max_apdu - _OCTETS_A_HEAD) // _OCTETS_AN_OBJECT))


def plan_objects(bindings: Sequence[PointBinding], most: int = OBJECTS_A_REQUEST) -> list[ObjectBlock]:
    """Requests of at most so many objects with one interval, in the order of the objects."""
    ordered = sorted(bindings, key=_order)
    return [
        ObjectBlock(run[0].device_id, interval, tuple(run[i : i + most]))
        for interval, group in groupby(ordered, key=lambda b: b.interval_s)
        for run in [list(group)]
        for i in range(0, len(run), most)
    ]


def _order(binding: PointBinding) -> tuple[float, str, int, str]:
    source = source_of(binding)
    return (binding.interval_s, source.object_type, source.instance, source.property)


def most_objects(target: BacnetIp) -> int:
    """How many objects a request may have: an MS/TP line carries short frames alone."""
    return OBJECTS_A_REQUEST if target.baud_rate is None else objects_within(MSTP_APDU)


def answer_s(target: BacnetIp, block: ObjectBlock, stations: int) -> float:
    """What a request takes of its device, or of its MS/TP line with so many stations that pass the token."""
    if target.baud_rate is None:
        return target.turnaround_s
    objects = len(block.bindings)
    octets = 2 * (_FRAME_OCTETS + _ROUTED_OCTETS + _OCTETS_A_HEAD)
    octets += (_ASKED_AN_OBJECT + _OCTETS_AN_OBJECT) * objects
    bits = octets * _BITS_AN_OCTET + stations * _TOKEN_BITS
    return bits / target.baud_rate + target.turnaround_s
