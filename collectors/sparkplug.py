"""Sparkplug B: what an edge node's births, data and deaths say, and when it must be asked to be born again.

Source: Eclipse Sparkplug Specification 3.0.0, chapters 4 to 6; payload as in its `sparkplug_b.proto`. Of the
payload only scalars are read; data sets and templates are left out. No I/O; the time is an argument.
"""

import math
from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from energy_center.errors import BadFrame

NAMESPACE = "spBv1.0"
REBIRTH_METRIC = "Node Control/Rebirth"
REBIRTH_EVERY_S = 30.0
_BOOLEAN = 11
_SIGNED_BITS = {1: 8, 2: 16, 3: 32, 4: 64}
_F = descriptor_pb2.FieldDescriptorProto
_PAYLOAD = (
    (1, "timestamp", _F.TYPE_UINT64),
    (3, "seq", _F.TYPE_UINT64),
)
_METRIC = (
    (1, "name", _F.TYPE_STRING),
    (2, "alias", _F.TYPE_UINT64),
    (3, "timestamp", _F.TYPE_UINT64),
    (4, "datatype", _F.TYPE_UINT32),
    (5, "is_historical", _F.TYPE_BOOL),
    (7, "is_null", _F.TYPE_BOOL),
    (10, "int_value", _F.TYPE_UINT32),
    (11, "long_value", _F.TYPE_UINT64),
    (12, "float_value", _F.TYPE_FLOAT),
    (13, "double_value", _F.TYPE_DOUBLE),
    (14, "boolean_value", _F.TYPE_BOOL),
    (15, "string_value", _F.TYPE_STRING),
)


def _payload_class() -> Any:  # noqa: ANN401  the library makes the class at run time
    file = descriptor_pb2.FileDescriptorProto(name="sparkplug_b.proto", package="energy_center.sparkplug")
    file.syntax = "proto2"
    payload = file.message_type.add(name="Payload")
    metric = payload.nested_type.add(name="Metric")
    for message, fields in ((payload, _PAYLOAD), (metric, _METRIC)):
        for number, name, kind in fields:
            message.field.add(number=number, name=name, type=kind, label=_F.LABEL_OPTIONAL)
    payload.field.add(
        number=2,
        name="metrics",
        type=_F.TYPE_MESSAGE,
        label=_F.LABEL_REPEATED,
        type_name=".energy_center.sparkplug.Payload.Metric",
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("energy_center.sparkplug.Payload"))


PAYLOAD = _payload_class()


class Kind(StrEnum):
    """The messages of an edge node that a host application listens to."""

    NODE_BIRTH = "NBIRTH"
    NODE_DATA = "NDATA"
    NODE_DEATH = "NDEATH"
    DEVICE_BIRTH = "DBIRTH"
    DEVICE_DATA = "DDATA"
    DEVICE_DEATH = "DDEATH"


_BIRTHS = (Kind.NODE_BIRTH, Kind.DEVICE_BIRTH)


@dataclass(frozen=True, slots=True)
class Metrics:
    """What a node or device (None: the node itself) measured at one instant, by metric name."""

    device: str | None
    at: float | None
    historical: bool
    values: dict[str, object]


@dataclass(slots=True)
class Heard:
    """What one message brought. `online` is by device, None being the node; `ask_rebirth` to publish NCMD."""

    metrics: list[Metrics] = field(default_factory=list)
    online: dict[str | None, bool] = field(default_factory=dict)
    ask_rebirth: bool = False


@dataclass(slots=True)
class EdgeNode:
    """One edge node's state, as a host application keeps it."""

    aliases: dict[int, str] = field(default_factory=dict)
    types: dict[tuple[str | None, str], int] = field(default_factory=dict)
    devices: set[str] = field(default_factory=set)
    is_born: bool = False
    in_order: bool = True
    last_seq: int = 0
    bd_seq: int | None = None
    asked_at: float = -math.inf

    def take(self, kind: Kind, device: str | None, payload: bytes, now: float) -> Heard:
        """Note a message, received at `now` (any clock that only rises); raises BadFrame for garbage."""
        message = PAYLOAD()
        try:
            message.ParseFromString(payload)
        except DecodeError as cause:
            raise BadFrame("The message is not a Sparkplug B payload") from cause
        heard = Heard()
        if kind is Kind.NODE_DEATH:
            self._die(message, heard)
            return heard
        if kind is Kind.NODE_BIRTH:
            self._be_born(message, heard)
        else:
            self._follow(message)
        if kind is Kind.DEVICE_DEATH:
            heard.online[device] = False
        elif self.is_born:
            self._learn(kind, device, message, heard)
        self._ask(heard, now)
        return heard

    def _be_born(self, message: Any, heard: Heard) -> None:  # noqa: ANN401
        self.aliases.clear()
        self.types.clear()
        self.devices.clear()
        self.is_born, self.in_order, self.asked_at = True, True, -math.inf
        self.last_seq = message.seq
        self.bd_seq = _bd_seq(message)
        heard.online[None] = True

    def _die(self, message: Any, heard: Heard) -> None:  # noqa: ANN401
        """A last will that the broker sends for an earlier session must not end this one (6.4.1)."""
        died = _bd_seq(message)
        if self.is_born and None not in (died, self.bd_seq) and died != self.bd_seq:
            return
        self.is_born = False
        heard.online = {None: False, **dict.fromkeys(self.devices, False)}

    def _follow(self, message: Any) -> None:  # noqa: ANN401
        if not message.HasField("seq"):
            return
        if message.seq not in (self.last_seq, (self.last_seq + 1) % 256):  # the same again: sent twice
            self.in_order = False
        self.last_seq = message.seq

    def _learn(self, kind: Kind, device: str | None, message: Any, heard: Heard) -> None:  # noqa: ANN401
        if device is not None:
            self.devices.add(device)
            heard.online[device] = True
        found: dict[tuple[float | None, bool], dict[str, object]] = defaultdict(dict)
        for metric in message.metrics:
            if kind in _BIRTHS:
                self.types[device, metric.name] = metric.datatype
                if metric.HasField("alias"):
                    self.aliases[metric.alias] = metric.name
            name = self._name(metric)
            # data may leave the type out, which the birth has told
            value = _value(metric, metric.datatype or self.types.get((device, name or ""), 0))
            if name is None or value is None:
                continue
            stamp = metric.timestamp or message.timestamp
            found[stamp / 1000 if stamp else None, metric.is_historical][name] = value
        heard.metrics += [
            Metrics(device, at, historical, values) for (at, historical), values in found.items()
        ]

    def _name(self, metric: Any) -> str | None:  # noqa: ANN401
        if metric.name:
            return str(metric.name)
        # after a gap an alias may stand for something else: a value under a wrong name is worse than none
        name = self.aliases.get(metric.alias) if self.in_order else None
        if name is None:
            self.in_order = False
        return name

    def _ask(self, heard: Heard, now: float) -> None:
        if (not self.is_born or not self.in_order) and now - self.asked_at >= REBIRTH_EVERY_S:
            self.asked_at = now
            heard.ask_rebirth = True


def _bd_seq(message: Any) -> int | None:  # noqa: ANN401
    return next((int(m.long_value or m.int_value) for m in message.metrics if m.name == "bdSeq"), None)


def _value(metric: Any, datatype: int) -> object:  # noqa: ANN401
    if metric.is_null:
        return None
    for field_name in ("float_value", "double_value", "boolean_value", "string_value"):
        if metric.HasField(field_name):
            return getattr(metric, field_name)
    for field_name in ("int_value", "long_value"):
        if metric.HasField(field_name):
            return _signed(getattr(metric, field_name), _SIGNED_BITS.get(datatype))
    return None


def _signed(raw: int, bits: int | None) -> int:
    """Signed types travel as two's complement in an unsigned field (6.4.16)."""
    if bits is None:
        return raw
    raw &= (1 << bits) - 1
    return raw - (1 << bits) if raw >= 1 << (bits - 1) else raw


def rebirth_request(now: float) -> bytes:
    """The payload of an NCMD that asks an edge node for its births; `now` in UTC seconds."""
    message = PAYLOAD(timestamp=round(now * 1000))
    message.metrics.add(name=REBIRTH_METRIC, datatype=_BOOLEAN, boolean_value=True)
    return bytes(message.SerializeToString())
