"""BACnet/IP controllers: one device with its own UDP port per connection, values taken when read.

Schedules and some set-points can be commanded by priority and offer COV, as all points with states do; any
other write is refused. A muted controller drops every datagram, as a device without power would.
"""

import asyncio
import socket
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from bacpypes3.apdu import SimpleAckPDU
from bacpypes3.app import Application
from bacpypes3.appservice import ApplicationServiceAccessPoint
from bacpypes3.basetypes import BinaryPV, PropertyIdentifier
from bacpypes3.comm import bind
from bacpypes3.errors import ExecutionError
from bacpypes3.ipv4.link import NormalLinkLayer
from bacpypes3.local.device import DeviceObject
from bacpypes3.local.object import Object as LocalObject
from bacpypes3.netservice import NetworkServiceAccessPoint, NetworkServiceElement
from bacpypes3.object import (
    AnalogInputObject,
    AnalogOutputObject,
    AnalogValueObject,
    BinaryInputObject,
    BinaryOutputObject,
    BinaryValueObject,
    MultiStateInputObject,
)
from bacpypes3.pdu import Address, IPv4Address
from bacpypes3.primitivedata import Real, Unsigned
from bacpypes3.service.device import WhoHasIHaveServices, WhoIsIAmServices
from bacpypes3.service.object import ReadWritePropertyMultipleServices, ReadWritePropertyServices

from simulators.catalogue import Connection, Line
from simulators.devices.bacnet_cov import CovServices
from simulators.devices.commandable import SLOTS, Slots, is_commandable
from simulators.devices.objects import OBJECT_LISTS, Object
from simulators.devices.source import Source, has_reading
from simulators.served import Key

_VENDOR = 999  # for test devices
_STATUS = {"eventState": "normal", "outOfService": False, "statusFlags": [0, 0, 0, 0]}
_START_LIMIT_S = 5.0


class _Live(LocalObject):  # type: ignore[misc]  # bacpypes3 has no types
    """An object whose present value is taken from the world at the moment of reading."""

    _encode: Callable[[], Any]
    _peek: Callable[[], float]
    _count: Callable[[], None]
    _slots: Slots | None = None
    _has_cov = False

    def bind(
        self,
        slots: Slots | None,
        peek: Callable[[], float],
        encode: Callable[[], Any],
        count: Callable[[], None],
        *,
        cov: bool,
    ) -> None:
        """Say where the present value comes from, who counts it, and what the object offers."""
        self._slots, self._peek, self._encode, self._count, self._has_cov = slots, peek, encode, count, cov

    def slots(self) -> Slots | None:
        """The priority array; None for an object that cannot be commanded."""
        return self._slots

    def offers_cov(self) -> bool:
        """Whether changes of its value can be subscribed to."""
        return self._has_cov

    def reads(self) -> float:
        """The number that the present value stands for, without serving it; NaN where there is none."""
        return self._peek()

    def present(self) -> Any:  # noqa: ANN401  a BACnet value
        """The present value, not counted as served; raises ExecutionError where there is none."""
        return self._encode()

    def was_served(self) -> None:
        """Count the present value as served."""
        self._count()

    async def read_property(self, attr: int | str, index: int | None = None) -> Any:  # noqa: ANN401  a BACnet value
        """The present value now, every other property as it was set."""
        if attr in ("presentValue", PropertyIdentifier.presentValue):
            present = self._encode()
            self._count()
            return present
        if self._slots is not None and attr in ("priorityArray", PropertyIdentifier.priorityArray):
            return self._slots.as_property(index)
        return await super().read_property(attr, index)


class _AnalogInput(_Live, AnalogInputObject):  # type: ignore[misc]
    pass


class _AnalogOutput(_Live, AnalogOutputObject):  # type: ignore[misc]
    pass


class _AnalogValue(_Live, AnalogValueObject):  # type: ignore[misc]
    pass


class _BinaryInput(_Live, BinaryInputObject):  # type: ignore[misc]
    pass


class _BinaryOutput(_Live, BinaryOutputObject):  # type: ignore[misc]
    pass


class _BinaryValue(_Live, BinaryValueObject):  # type: ignore[misc]
    pass


class _MultiStateInput(_Live, MultiStateInputObject):  # type: ignore[misc]
    pass


_CLASSES: dict[str, type[_Live]] = {
    "analog-input": _AnalogInput,
    "analog-output": _AnalogOutput,
    "analog-value": _AnalogValue,
    "binary-input": _BinaryInput,
    "binary-output": _BinaryOutput,
    "binary-value": _BinaryValue,
    "multi-state-input": _MultiStateInput,
}


class _Link(NormalLinkLayer):  # type: ignore[misc]
    """The wire into a controller; a silent controller hears nothing."""

    def __init__(self, address: IPv4Address, bound: socket.socket, is_silent: Callable[[], bool]) -> None:
        super().__init__(address, bind_socket=bound)
        self._is_silent = is_silent

    async def confirmation(self, pdu: Any) -> None:  # noqa: ANN401  a frame of bacpypes3
        if not self._is_silent():
            await super().confirmation(pdu)


class _Controller(
    CovServices,
    Application,  # type: ignore[misc]
    WhoIsIAmServices,  # type: ignore[misc]
    WhoHasIHaveServices,  # type: ignore[misc]
    ReadWritePropertyServices,  # type: ignore[misc]
    ReadWritePropertyMultipleServices,  # type: ignore[misc]
):
    """A device's application stack above its wire."""

    def __init__(self, device: DeviceObject, link: Any, address: Address) -> None:  # noqa: ANN401  a link layer
        CovServices.__init__(self)
        Application.__init__(self)
        self.asap = ApplicationServiceAccessPoint(device, self.device_info_cache)
        self.nsap = NetworkServiceAccessPoint()
        self.nse = NetworkServiceElement()
        bind(self.nse, self.nsap)
        bind(self, self.asap, self.nsap)
        self.link = link
        self.nsap.bind(link, address=address)
        self.add_object(device)

    async def do_WritePropertyRequest(self, apdu: Any) -> None:  # noqa: ANN401, N802  name given by bacpypes3
        """Command a present value by priority (16 unless given); anything else is refused."""
        target = self.get_object_id(apdu.objectIdentifier)
        slots = target.slots() if isinstance(target, _Live) else None
        if slots is None or apdu.propertyIdentifier != PropertyIdentifier.presentValue:
            raise ExecutionError(errorClass="property", errorCode="writeAccessDenied")
        slots.write(apdu.propertyValue, int(apdu.priority or SLOTS))
        await self.response(SimpleAckPDU(context=apdu))

    async def do_WritePropertyMultipleRequest(self, apdu: Any) -> None:  # noqa: ANN401, N802, ARG002
        """Refuse: nothing may be commanded."""
        raise ExecutionError(errorClass="property", errorCode="writeAccessDenied")

    def close(self) -> None:
        """Leave the wire."""
        self.stop_cov()
        self.link.close()


class BacnetServer:
    """One controller and the objects of all equipment wired to it."""

    def __init__(self, connection: Connection, lines: Iterable[Line], source: Source) -> None:
        self.connection_id = connection.id
        self._device = connection.device or 0
        self._source = source
        self._lines = tuple(lines)
        self._names = [line.id for line in self._lines]
        self._app: _Controller | None = None
        self._first = [rows[0] for rows in (_keys(line) for line in self._lines) if rows]

    def points(self) -> list[Key]:
        """Every point that can be read here."""
        return [key for line in self._lines for key in _keys(line)]

    async def start(self, host: str, port: int) -> int:
        """Bind the port, or a free one when it is 0; returns the port. Raises OSError when it is taken."""
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            bound.bind((host, port))
            bound.settimeout(0)
        except OSError:
            bound.close()
            raise
        port = int(bound.getsockname()[1])
        address = IPv4Address(f"{host}:{port}")
        link = _Link(address, bound, self.is_silent)
        self.join(link, address)
        async with asyncio.timeout(_START_LIMIT_S):
            while link.server.local_transport is None:  # noqa: ASYNC110  bacpypes3 offers no event for it
                await asyncio.sleep(0.001)
        return port

    def join(self, link: Any, address: Address) -> None:  # noqa: ANN401  a link layer of bacpypes3
        """Answer on a wire that stands already, a socket of our own or a line behind a router."""
        self._app = _Controller(_device(self.connection_id, self._device), link, address)
        for line in self._lines:
            for listed in OBJECT_LISTS.get(line.map_name, ()):
                self._app.add_object(self._object(line, listed))

    async def stop(self) -> None:
        """Release the port."""
        if self._app is not None:
            self._app.close()

    def is_silent(self) -> bool:
        """Whether the controller hears nothing now."""
        if self._source.is_silent(self.connection_id, self._names):
            return True
        return any(not has_reading(self._source.read(key)) for key in self._first)

    def _object(self, line: Line, listed: Object) -> _Live:
        instance = line.base + listed.instance
        kind, form = listed.type.split("-")[0], listed.type
        properties: dict[str, Any] = {
            "objectIdentifier": (form, instance),
            "objectName": f"{line.id}.{listed.signal}",
            "description": listed.signal.replace("_", " "),
            **_STATUS,
        }
        if kind == "analog":
            properties |= {"presentValue": 0.0, "units": listed.unit or "noUnits"}
        elif kind == "binary":
            properties |= {"presentValue": "inactive"}
        else:
            properties |= {"presentValue": 1, "numberOfStates": 2}
        made = _CLASSES[form](**properties)
        key = (line.id, listed.signal)
        slots = Slots(kind, partial(self._source.command, key)) if is_commandable(listed.signal) else None
        peek = self._peeker(key, slots)
        count = partial(self._source.served.add, (key,))
        made.bind(slots, peek, _encoder(kind, peek), count, cov=kind != "analog" or slots is not None)
        return made

    def _peeker(self, key: Key, slots: Slots | None) -> Callable[[], float]:
        def peek() -> float:
            commanded = slots.commanded if slots is not None else None
            return self._source.read(key) if commanded is None else commanded

        return peek


def _encoder(kind: str, peek: Callable[[], float]) -> Callable[[], Any]:
    def encode() -> Any:  # noqa: ANN401  a BACnet value
        reading = peek()
        if not has_reading(reading):
            raise ExecutionError(errorClass="property", errorCode="valueNotInitialized")
        if kind == "analog":
            return Real(reading)
        if kind == "binary":
            return BinaryPV(int(reading > 0.5))
        return Unsigned(round(reading) + 1)

    return encode


def _keys(line: Line) -> list[Key]:
    return [(line.id, listed.signal) for listed in OBJECT_LISTS.get(line.map_name, ())]


def _device(name: str, instance: int) -> DeviceObject:
    return DeviceObject(
        objectIdentifier=("device", instance),
        objectName=name,
        vendorIdentifier=_VENDOR,
        vendorName="Energy Center simulators",
        modelName="simulated controller",
        maxApduLengthAccepted=1476,
        segmentationSupported="segmentedBoth",
        maxSegmentsAccepted=64,
    )
