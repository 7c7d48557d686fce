"""BACnet/IP: one client application for the process, and the driver that reads a device's present values.

Source: ASHRAE 135-2020, 15.7 (ReadPropertyMultiple). Library: bacpypes3, whose refusals are BaseException.
"""

import asyncio
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, ClassVar

import numpy as np
from bacpypes3.apdu import AbortPDU, AbortReason, ErrorRejectAbortNack, RejectPDU
from bacpypes3.app import Application
from bacpypes3.appservice import ApplicationServiceAccessPoint
from bacpypes3.basetypes import ErrorType
from bacpypes3.comm import bind
from bacpypes3.ipv4.app import NormalApplication
from bacpypes3.ipv4.link import NormalLinkLayer
from bacpypes3.local.device import DeviceObject
from bacpypes3.netservice import NetworkServiceAccessPoint, NetworkServiceElement
from bacpypes3.pdu import Address, IPv4Address
from bacpypes3.primitivedata import ObjectIdentifier

from collectors.driver import BusContext, Sample
from energy_center.config.bindings import BacnetIp, BacnetSource, Device, PointBinding
from energy_center.domain.readings import Quality
from energy_center.errors import BadFrame, DeviceAway, DeviceRefused, NotSupported

OBJECTS_A_REQUEST = 30  # with both properties the answer stays below one 1476-octet APDU
CLIENT_INSTANCE = 4_194_000  # of our own device object; nobody asks it
_VALUE, _FLAGS = "present-value", "status-flags"
_FAULT_BIT, _OUT_OF_SERVICE_BIT = 1, 3  # ASHRAE 135-2020, 12.2.7
_TOO_LONG = (AbortReason.bufferOverflow, AbortReason.segmentationNotSupported)


@dataclass(frozen=True, slots=True)
class ObjectBlock:
    """Objects of one device that are read in one request."""

    device_id: str
    interval_s: float
    bindings: tuple[PointBinding, ...]


class _Client(NormalApplication):  # type: ignore[misc]  # bacpypes3 has no types
    """The library's application on a socket that is bound already: its own constructor binds by itself."""

    def __init__(self, device: DeviceObject, address: IPv4Address, bound: socket.socket) -> None:
        Application.__init__(self)
        self.asap = ApplicationServiceAccessPoint(device, self.device_info_cache)
        self.nsap = NetworkServiceAccessPoint()
        self.nse = NetworkServiceElement()
        bind(self.nse, self.nsap)
        bind(self, self.asap, self.nsap)
        self.normal = NormalLinkLayer(address, bind_socket=bound)
        self.nsap.bind(self.normal, address=address)
        self.add_object(device)

    async def ready(self) -> None:
        """Wait until the socket is attached to the loop."""
        while self.normal.server.local_transport is None:  # noqa: ASYNC110  the library offers no event for it
            await asyncio.sleep(0.001)


class SharedApplication:
    """One application for each of our own addresses, from its first user to its last.

    Its UDP port is any free one: a destination on our own port of a loopback address would reach ourselves.
    """

    _by_address: ClassVar[dict[str, "SharedApplication"]] = {}

    def __init__(self, own_address: str) -> None:
        self._own_address = own_address
        self._users = 0
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        bound.bind((own_address, 0))
        bound.settimeout(0)
        device = DeviceObject(
            objectIdentifier=("device", CLIENT_INSTANCE),
            objectName="energy-center-collector",
            vendorIdentifier=999,
            maxApduLengthAccepted=1476,
            segmentationSupported="segmentedBoth",
            maxSegmentsAccepted=64,
            numberOfApduRetries=0,
            apduTimeout=10_000,  # our own time limits are shorter
        )
        self.client = _Client(device, IPv4Address(f"{own_address}:{bound.getsockname()[1]}"), bound)

    @classmethod
    def acquire(cls, own_address: str) -> "SharedApplication":
        """The application of this address, with one user more."""
        shared = cls._by_address.get(own_address)
        if shared is None:
            shared = cls._by_address[own_address] = cls(own_address)
        shared._users += 1
        return shared

    def release(self) -> None:
        """One user less; the last one closes it."""
        self._users -= 1
        if self._users == 0:
            self._by_address.pop(self._own_address, None)
            self.client.close()


def own_address_towards(host: str, port: int) -> str:
    """Our address on the way to a device; raises DeviceAway when there is no route."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((host, port))
        except OSError as cause:
            raise DeviceAway("There is no route to the device", host=host, why=cause.strerror) from cause
        return str(probe.getsockname()[0])


def source_of(binding: PointBinding) -> BacnetSource:
    """The binding's object; any other protocol is a bug of the caller."""
    if not isinstance(binding.source, BacnetSource):
        raise TypeError(f"{binding.key} is not a BACnet point")
    return binding.source


class BacnetDriver:
    """One BACnet device: present values and status flags, many objects a request."""

    def __init__(self, context: BusContext) -> None:
        """Prepare; `open` joins the process's application."""
        if not isinstance(context.connection.target, BacnetIp):
            raise TypeError(f"{context.connection.connection_id} is not BACnet/IP")
        self._target = context.connection.target
        self._shared: SharedApplication | None = None
        self._without_flags: set[tuple[str, int]] = set()
        self._reads_multiple = True
        self.missing: set[tuple[str, int]] = set()

    @property
    def is_open(self) -> bool:
        """Whether requests can be sent; UDP knows no connection."""
        return self._shared is not None

    @property
    def time_limit_s(self) -> float:
        """Longest that one read may take."""
        return self._target.timeout_s

    def plan(self, devices: Sequence[Device], bindings: Sequence[PointBinding]) -> list[ObjectBlock]:  # noqa: ARG002  a connection is one device
        """Requests of at most 30 objects with one interval, in the order of the objects."""
        ordered = sorted(
            bindings, key=lambda b: (b.interval_s, source_of(b).object_type, source_of(b).instance)
        )
        return [
            ObjectBlock(run[0].device_id, interval, tuple(run[i : i + OBJECTS_A_REQUEST]))
            for interval, group in groupby(ordered, key=lambda b: b.interval_s)
            for run in [list(group)]
            for i in range(0, len(run), OBJECTS_A_REQUEST)
        ]

    async def open(self) -> None:
        """Join the application of our address towards the device."""
        if self._shared is None:
            try:
                address = own_address_towards(self._target.host, self._target.port)
                self._shared = SharedApplication.acquire(address)
                async with asyncio.timeout(self._target.timeout_s):
                    await self._shared.client.ready()
            except OSError as cause:  # a TimeoutError is one too
                raise DeviceAway("No UDP port can be opened", why=cause.strerror) from cause

    async def read(self, block: ObjectBlock) -> Sample:
        """Present values of a block; the time of the sample is the arrival of the reply."""
        if self._reads_multiple:
            rows = await self._read_multiple(block)
        else:
            rows = await self._read_one_by_one(block)
        at = time.time()
        found = {(str(o[0]), int(o[1]), str(p)): v for o, p, _, v in rows}
        return self._sample(block, found, at)

    def split(self, block: ObjectBlock) -> list[ObjectBlock]:
        """Two halves, for a device whose answers must be short."""
        middle = len(block.bindings) // 2
        parts = (block.bindings[:middle], block.bindings[middle:]) if middle else ()
        return [ObjectBlock(block.device_id, block.interval_s, part) for part in parts]

    async def close(self) -> None:
        """Leave the application."""
        if self._shared is not None:
            self._shared.release()
            self._shared = None

    async def _read_multiple(self, block: ObjectBlock) -> list[Any]:
        request: list[Any] = []
        for binding in block.bindings:
            source = source_of(binding)
            place = (source.object_type, source.instance)
            request.append(ObjectIdentifier(f"{source.object_type},{source.instance}"))
            request.append([_VALUE] if place in self._without_flags else [_VALUE, _FLAGS])
        try:
            return list(await self._ask("read_property_multiple", request))
        except NotSupported as cause:
            if not cause.facts.get("service"):
                raise
            self._reads_multiple = False
            return await self._read_one_by_one(block)

    async def _read_one_by_one(self, block: ObjectBlock) -> list[Any]:
        rows: list[Any] = []
        for binding in block.bindings:
            source = source_of(binding)
            identifier = ObjectIdentifier(f"{source.object_type},{source.instance}")
            try:
                value = await self._ask("read_property", identifier, _VALUE)
            except (DeviceRefused, NotSupported):
                value = ErrorType(errorClass="object", errorCode="unknownObject")
            rows.append((identifier, _VALUE, None, value))
        return rows

    async def _ask(self, service: str, *arguments: object) -> Any:  # noqa: ANN401  whatever the property holds
        if self._shared is None:
            raise DeviceAway("The connection is closed")
        address = Address(f"{self._target.host}:{self._target.port}")
        call = getattr(self._shared.client, service)
        try:
            async with asyncio.timeout(self._target.timeout_s):
                answer = await call(address, *arguments)
        except TimeoutError as cause:
            raise DeviceAway(device=self._target.device) from cause
        except ErrorRejectAbortNack as cause:
            raise _as_ours(cause) from cause
        if isinstance(answer, ErrorRejectAbortNack):
            raise _as_ours(answer)
        if answer is None:
            raise BadFrame("The reply does not fit the request", device=self._target.device)
        return answer

    def _sample(self, block: ObjectBlock, found: dict[tuple[str, int, str], Any], at: float) -> Sample:
        values = np.full(len(block.bindings), np.nan)
        quality = np.zeros(len(block.bindings), dtype=np.int16)
        for i, binding in enumerate(block.bindings):
            source = source_of(binding)
            place = (source.object_type, source.instance)
            raw = found.get((*place, _VALUE))
            if raw is None or isinstance(raw, ErrorType):
                self.missing.add(place)
                continue
            number = float(raw)
            number = source.states.get(int(number), number) if source.states else number
            values[i] = binding.scaling(number)
            flags = found.get((*place, _FLAGS))
            if isinstance(flags, ErrorType):
                self._without_flags.add(place)
            elif flags is not None:
                quality[i] = int(_quality(list(flags)))
        values[~np.isfinite(values)] = np.nan
        return Sample(at, values, quality)


def _quality(flags: list[int]) -> Quality:
    quality = Quality.GOOD
    if len(flags) > _FAULT_BIT and flags[_FAULT_BIT]:
        quality |= Quality.SENSOR_FAULT
    if len(flags) > _OUT_OF_SERVICE_BIT and flags[_OUT_OF_SERVICE_BIT]:
        quality |= Quality.SUBSTITUTED
    return quality


def _as_ours(refusal: ErrorRejectAbortNack) -> DeviceAway | DeviceRefused | NotSupported:
    """A library refusal by what the caller must do."""
    reason = str(getattr(refusal, "apduAbortRejectReason", None) or refusal)
    if isinstance(refusal, AbortPDU):
        if getattr(refusal, "apduAbortRejectReason", None) in _TOO_LONG:
            return NotSupported("The answer would be too long for the device", why=reason)
        return DeviceAway("The device gave no complete answer", why=reason)
    if isinstance(refusal, RejectPDU):
        return NotSupported("The device lacks this service", why=reason, service=True)
    return DeviceRefused("The device answers with an error", why=reason)
