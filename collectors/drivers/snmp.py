"""SNMP: objects of one agent, many a request, for UPS, switches and whatever else has a MIB.

Sources: RFC 3416, 4.2.1 (noSuchObject, noSuchInstance, tooBig); RFC 2578, 7.1 (types).
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from pysnmp.proto.rfc1902 import OctetString
from pysnmp.proto.rfc1905 import EndOfMibView, NoSuchInstance, NoSuchObject

from collectors.driver import BusContext, Sample
from collectors.drivers.snmp_session import SnmpSession
from energy_center.config.bindings import Device, PointBinding, SnmpAgent, SnmpSource
from energy_center.domain.readings import Quality
from energy_center.errors import NotSupported

log = logging.getLogger(__name__)

_ABSENT = (NoSuchObject, NoSuchInstance, EndOfMibView)


@dataclass(frozen=True, slots=True)
class ObjectBlock:
    """Objects of one agent that are read in one request."""

    device_id: str
    interval_s: float
    bindings: tuple[PointBinding, ...]


class SnmpDriver:
    """One agent."""

    def __init__(self, context: BusContext) -> None:
        """Prepare; `open` reads the secrets and looks up the name."""
        if not isinstance(context.connection.target, SnmpAgent):
            raise TypeError(f"{context.connection.connection_id} is not SNMP")
        self._target = context.connection.target
        self._session = SnmpSession(self._target)
        self.objects_a_request = min((d.limits.max_oids for d in context.devices), default=20)
        self.missing: set[str] = set()

    @property
    def is_open(self) -> bool:
        """Whether requests can be sent."""
        return self._session.is_open

    @property
    def time_limit_s(self) -> float:
        """Longest that one request may take."""
        return self._target.timeout_s

    def plan(self, devices: Sequence[Device], bindings: Sequence[PointBinding]) -> list[ObjectBlock]:  # noqa: ARG002  a connection is one agent
        """Requests of as many objects as the agent bears, with one interval, in the order of the objects."""
        ordered = sorted(bindings, key=lambda b: (b.interval_s, _arcs(source_of(b).oid)))
        most = self.objects_a_request
        return [
            ObjectBlock(run[0].device_id, interval, tuple(run[i : i + most]))
            for interval, group in groupby(ordered, key=lambda b: b.interval_s)
            for run in [list(group)]
            for i in range(0, len(run), most)
        ]

    async def open(self) -> None:
        """Make ready to ask; raises DeviceAway with what is missing."""
        await self._session.open()

    async def read(self, block: ObjectBlock) -> Sample:
        """Values of a block; objects that the agent lacks have none. The time is the last reply's arrival."""
        raw: list[Any] = []
        oids = [source_of(b).oid for b in block.bindings]
        while len(raw) < len(oids):
            some = oids[len(raw) : len(raw) + self.objects_a_request]
            try:
                raw += await self._session.get(some)
            except NotSupported as cause:
                if not cause.facts.get("too_big") or len(some) == 1:
                    raise
                self.objects_a_request = len(some) // 2  # for good: the agent's buffer does not grow
        at = time.time()
        absent = [b for b, value in zip(block.bindings, raw, strict=True) if isinstance(value, _ABSENT)]
        self._note(absent, block)
        values, quality = zip(
            *(value_of(b, r) for b, r in zip(block.bindings, raw, strict=True)), strict=True
        )
        return Sample(at, np.array(values), np.array([int(q) for q in quality], dtype=np.int16))

    def split(self, block: ObjectBlock) -> list[ObjectBlock]:
        """Two halves, for a request that one object spoils."""
        middle = len(block.bindings) // 2
        parts = (block.bindings[:middle], block.bindings[middle:]) if middle else ()
        return [ObjectBlock(block.device_id, block.interval_s, part) for part in parts]

    async def close(self) -> None:
        """Let go."""
        self._session.close()

    def _note(self, absent: list[PointBinding], block: ObjectBlock) -> None:
        """Say once what the agent lacks; a block of nothing else is asked for ever more rarely."""
        if absent and len(absent) == len(block.bindings):
            raise NotSupported("The agent has no such object", oid=source_of(absent[0]).oid)
        for binding in absent:
            oid = source_of(binding).oid
            if oid not in self.missing:
                told = {"point": "/".join(binding.key), "oid": oid, "why": "the agent has no such object"}
                log.warning("device lacks a point", extra={"action": "point_not_supported", **told})
        oids = {source_of(b).oid for b in block.bindings}
        self.missing = (self.missing - oids) | {source_of(b).oid for b in absent}


def source_of(binding: PointBinding) -> SnmpSource:
    """The object of a point on this connection."""
    if not isinstance(binding.source, SnmpSource):
        raise TypeError(f"{binding.key} is not read by SNMP")
    return binding.source


def value_of(binding: PointBinding, raw: Any) -> tuple[float, Quality]:  # noqa: ANN401  the library's types
    """A raw value as it is stored, NaN where there is none, and its quality."""
    source = source_of(binding)
    code: int | str | None = None
    if isinstance(raw, OctetString | bytes | str):
        text = raw if isinstance(raw, str) else bytes(raw).decode("utf-8", "replace")
        code = text.strip().strip("\0")
    elif not isinstance(raw, _ABSENT):
        code = _integer(raw)
    if code is None:
        return float("nan"), Quality.GOOD
    number = source.states.get(code, float("nan")) if source.states else _number(code)
    fault = Quality.SENSOR_FAULT if number in source.invalid else Quality.GOOD
    scaled = binding.scaling(number)
    return (scaled if np.isfinite(scaled) else float("nan")), fault


def _integer(raw: Any) -> int | None:  # noqa: ANN401  the library's types
    try:
        return int(raw)
    except (TypeError, ValueError):
        return None  # an address or an object identifier


def _number(code: int | str) -> float:
    try:
        return float(code)
    except ValueError:
        return float("nan")


def _arcs(oid: str) -> tuple[int, ...]:
    return tuple(int(arc) for arc in oid.split("."))
