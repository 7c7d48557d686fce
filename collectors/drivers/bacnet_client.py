"""BACnet/IP on the wire: one client application for each of our own addresses, and its requests.

Source: ASHRAE 135-2020, annex J (BACnet/IP, foreign devices) and 13.1 (change of value).
Library: bacpypes3, whose refusals are BaseException.
"""

import asyncio
import itertools
import socket
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, ClassVar

from bacpypes3.apdu import ErrorRejectAbortNack, SimpleAckPDU
from bacpypes3.app import Application
from bacpypes3.appservice import ApplicationServiceAccessPoint
from bacpypes3.comm import bind
from bacpypes3.errors import ServicesError
from bacpypes3.ipv4 import IPv4DatagramServer
from bacpypes3.ipv4.app import NormalApplication
from bacpypes3.ipv4.bvll import BVLLCodec
from bacpypes3.ipv4.link import NormalLinkLayer
from bacpypes3.ipv4.service import BIPForeign, UDPMultiplexer
from bacpypes3.local.device import DeviceObject
from bacpypes3.netservice import NetworkServiceAccessPoint, NetworkServiceElement
from bacpypes3.pdu import Address, IPv4Address, RemoteStation
from bacpypes3.settings import settings

from collectors.drivers.bacnet_reader import Reader, Station
from collectors.drivers.bacnet_refusals import as_ours
from collectors.drivers.bacnet_wire import Found, values_of
from collectors.drivers.names import looked_up
from energy_center.config.bindings import BacnetIp
from energy_center.errors import BadFrame, DeviceAway

CLIENT_INSTANCE = 4_194_000  # of our own device object; nobody asks it
FOREIGN_TTL_S = 120  # registered again before it ends, J.5.2.3
# at once on an MS/TP line: more would only queue in its router, and one silent station leaves the other place
LINE_REQUESTS = 2
# a notification comes again when its confirmation does not arrive, usually three times at 3 s
REPEATED_WITHIN_S = 10.0
_REGISTER_NO_MORE = bytes.fromhex("810500060000")  # a lifetime of 0, J.2.6

Told = Callable[[Any], None]

# an address behind a router names the router, so that no Who-Is-Router has to be heard
settings.route_aware = True


class _ForeignLink(BIPForeign):  # type: ignore[misc]  # bacpypes3 has no types
    """The wire of a foreign device: broadcasts go to the BBMD, which passes them on."""

    def __init__(self, address: IPv4Address, bound: socket.socket) -> None:
        BIPForeign.__init__(self)
        self.codec = BVLLCodec()
        self.multiplexer = UDPMultiplexer()
        self.server = IPv4DatagramServer(address, no_broadcast=True, bind_socket=bound)
        bind(self, self.codec, self.multiplexer.annexJ)
        bind(self.multiplexer, self.server)

    def close(self) -> None:
        """End the registration, which would live on in the BBMD's table of few places."""
        self._stop_tracking_registration()
        if self.bbmdAddress is not None and self.server.local_transport is not None:
            self.server.local_transport.sendto(_REGISTER_NO_MORE, self.bbmdAddress.addrTuple)
        self.server.close()

    def _registration_expired(self) -> None:
        """A BBMD that was away is asked again until it is back; the library would give up."""
        bbmd, lifetime = self.bbmdAddress, self.bbmdTimeToLive
        super()._registration_expired()
        self.register(bbmd, lifetime)


class _Client(NormalApplication):  # type: ignore[misc]  # bacpypes3 has no types
    """The library's application on a socket that is bound already: its own constructor binds by itself."""

    def __init__(
        self, device: DeviceObject, address: IPv4Address, bound: socket.socket, bbmd: str | None
    ) -> None:
        Application.__init__(self)
        self.asap = ApplicationServiceAccessPoint(device, self.device_info_cache)
        self.nsap = NetworkServiceAccessPoint()
        self.nse = NetworkServiceElement()
        bind(self.nse, self.nsap)
        bind(self, self.asap, self.nsap)
        self.bbmd = IPv4Address(bbmd) if bbmd else None
        self.normal = _ForeignLink(address, bound) if bbmd else NormalLinkLayer(address, bind_socket=bound)
        self.nsap.bind(self.normal, address=address)
        self.add_object(device)
        self.told: dict[int, Told] = {}
        self.announced: Told | None = None
        self._notices: dict[tuple[str, int], tuple[tuple[object, ...], float]] = {}

    async def do_IAmRequest(self, apdu: Any) -> None:  # noqa: ANN401, N802
        """Hand on who is there, to who looks for devices."""
        await super().do_IAmRequest(apdu)
        if self.announced is not None:
            self.announced(apdu)

    async def ready(self) -> None:
        """Wait until the socket is attached to the loop, and the BBMD knows us."""
        while self.normal.server.local_transport is None:  # noqa: ASYNC110  the library offers no event for it
            await asyncio.sleep(0.001)
        if self.bbmd is None:
            return
        self.normal.register(self.bbmd, FOREIGN_TTL_S)
        while (status := self.normal.bbmdRegistrationStatus) != 0:
            if status > 0:
                raise DeviceAway("The BBMD does not take foreign devices", bbmd=str(self.bbmd), code=status)
            await asyncio.sleep(0.01)

    async def do_ConfirmedCOVNotificationRequest(self, apdu: Any) -> None:  # noqa: ANN401, N802
        """Confirm what we subscribed to; a device hears that the rest is not ours any more."""
        told = self.told.get(int(apdu.subscriberProcessIdentifier))
        if told is None:
            raise ServicesError(errorCode="unknownSubscription")
        if not self._is_repeated(apdu):
            told(apdu)
        await self.response(SimpleAckPDU(context=apdu))

    def _is_repeated(self, apdu: Any) -> bool:  # noqa: ANN401
        """Whether this very notification was taken before its confirmation got lost or crossed it."""
        sender, now = (str(apdu.pduSource), int(apdu.apduInvokeID)), time.monotonic()
        said = (
            int(apdu.subscriberProcessIdentifier),
            str(apdu.monitoredObjectIdentifier),
            int(apdu.timeRemaining),
            b"".join(tag.tag_data for v in apdu.listOfValues for tag in v.value.tagList),
        )
        before, at = self._notices.get(sender, (None, 0.0))
        self._notices[sender] = (said, now)
        return said == before and now - at < REPEATED_WITHIN_S

    async def do_UnconfirmedCOVNotificationRequest(self, apdu: Any) -> None:  # noqa: ANN401, N802
        """Take what we subscribed to."""
        told = self.told.get(int(apdu.subscriberProcessIdentifier))
        if told is not None:
            told(apdu)


class SharedApplication:
    """One application for each of our own addresses (and BBMD), from its first user to its last.

    Its UDP port is any free one: a destination on our own port of a loopback address would reach ourselves.
    """

    _by_address: ClassVar[dict[tuple[str, str | None], "SharedApplication"]] = {}
    _processes: ClassVar["itertools.count[int]"] = itertools.count(1)

    def __init__(self, own_address: str, bbmd: str | None = None) -> None:
        self._key = (own_address, bbmd)
        self._users = 0
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)  # discovery
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
        self.client = _Client(device, IPv4Address(f"{own_address}:{bound.getsockname()[1]}"), bound, bbmd)
        self.reader = Reader()
        self._opening = asyncio.Lock()
        self._lines: dict[tuple[str, int, int | None], asyncio.Semaphore] = {}

    async def ready(self) -> None:
        """Wait until both sockets can be used; raises OSError or DeviceAway."""
        async with self._opening:
            if not self.reader.is_open:
                await self.reader.open(self._key[0])
        await self.client.ready()

    @classmethod
    def acquire(cls, own_address: str, bbmd: str | None = None) -> "SharedApplication":
        """The application of this address, with one user more."""
        shared = cls._by_address.get((own_address, bbmd))
        if shared is None:
            shared = cls._by_address[own_address, bbmd] = cls(own_address, bbmd)
        shared._users += 1
        return shared

    def release(self) -> None:
        """One user less; the last one closes it."""
        self._users -= 1
        if self._users == 0:
            self._by_address.pop(self._key, None)
            self.client.close()
            self.reader.close()

    def line(self, target: BacnetIp) -> AbstractAsyncContextManager[object]:
        """The turn on an MS/TP line, for which its stations wait; elsewhere there is no need to."""
        if target.baud_rate is None:
            return nullcontext()
        place = (target.host, target.port, target.network)
        return self._lines.setdefault(place, asyncio.Semaphore(LINE_REQUESTS))

    def subscribe(self, told: Told) -> int:
        """A subscriber's process identifier, whose notifications go to `told`."""
        process = next(self._processes) % 4_194_303 + 1
        self.client.told[process] = told
        return process

    def unsubscribe(self, process: int) -> None:
        """Notifications of this process are not ours any more."""
        self.client.told.pop(process, None)


def own_address_towards(host: str, port: int) -> str:
    """Our address on the way to a device; raises DeviceAway when there is no route."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((host, port))
        except OSError as cause:
            raise DeviceAway("There is no route to the device", host=host, why=cause.strerror) from cause
        return str(probe.getsockname()[0])


def address_of(target: BacnetIp, host: str) -> Address:
    """Where requests go: the device itself, or a station of a network behind the router; `host` in digits."""
    direct = IPv4Address(f"{host}:{target.port}")
    if target.network is None or target.station is None:
        return direct
    return RemoteStation(target.network, station_octets(target.station), route=direct)


def station_of(target: BacnetIp, host: str) -> Station:
    """The same place for reads of many properties."""
    if target.network is None or target.station is None:
        return Station(host, target.port)
    return Station(host, target.port, target.network, station_octets(target.station))


def station_octets(station: str) -> bytes:
    """`5` of an MS/TP line, `10.0.5.7:47808` of a BACnet/IP network, or octets as `0x0a000507bac0`."""
    if station.isdigit():
        return bytes([int(station)])
    if station.startswith("0x"):
        return bytes.fromhex(station[2:])
    host, _, port = station.partition(":")
    return socket.inet_aton(host) + int(port or 47808).to_bytes(2, "big")


class Conversation:
    """Requests to one device, each within its time limit."""

    def __init__(self, target: BacnetIp) -> None:
        self._target = target
        self._address: Address | None = None
        self._station: Station | None = None
        self._line: AbstractAsyncContextManager[object] = nullcontext()
        self.shared: SharedApplication | None = None

    async def open(self) -> None:
        """Join the application of our address towards the device; raises DeviceAway."""
        if self.shared is not None:
            return
        target = self._target
        host = await looked_up(target.host, target.port, target.timeout_s, socket.AF_INET)
        shared: SharedApplication | None = None
        try:
            own = own_address_towards(host, target.port)
            self._address = address_of(target, host)
            self._station = station_of(target, host)
            shared = SharedApplication.acquire(own, target.bbmd)
            async with asyncio.timeout(target.timeout_s):
                await shared.ready()
        except OSError as cause:  # a TimeoutError is one too
            if shared is not None:
                shared.release()
            raise DeviceAway("No UDP port can be opened", why=cause.strerror or "no BBMD answers") from cause
        except BaseException:
            if shared is not None:
                shared.release()
            raise
        self.shared = shared
        self._line = shared.line(target)

    def close(self) -> None:
        """Leave the application."""
        if self.shared is not None:
            self.shared.release()
            self.shared = None

    async def ask(self, service: str, *arguments: object, **named: object) -> Any:  # noqa: ANN401  any property
        """The answer of a service of the application; raises as drivers do."""
        client, address = self._open()
        answer = await self._within_limit(lambda: getattr(client, service)(address, *arguments, **named))
        if answer is None and service != "write_property":
            raise BadFrame("The reply does not fit the request", device=self._target.device)
        return answer

    async def read_multiple(self, parameters: bytes) -> Found:
        """Values of several properties by object; `parameters` as `bacnet_wire.parameters_of` makes them."""
        if self.shared is None or self._station is None:
            raise DeviceAway("The connection is closed")
        async with self._line:
            answer = await self.shared.reader.ask(self._station, parameters, self._target.timeout_s)
        found = values_of(answer)
        if not found:
            raise BadFrame("The reply does not fit the request", device=self._target.device)
        return found

    async def send(self, request: Any) -> Any:  # noqa: ANN401  an APDU
        """The answer to a request that the application has no service for."""
        client, request.pduDestination = self._open()
        return await self._within_limit(lambda: client.request(request))

    def _open(self) -> tuple[Any, Address]:
        if self.shared is None or self._address is None:
            raise DeviceAway("The connection is closed")
        return self.shared.client, self._address

    async def _within_limit(self, asking: Callable[[], Any]) -> Any:  # noqa: ANN401
        try:
            async with self._line, asyncio.timeout(self._target.timeout_s):
                answer = await asking()
        except TimeoutError as cause:
            raise DeviceAway(device=self._target.device) from cause
        except ErrorRejectAbortNack as cause:
            raise as_ours(cause) from cause
        if isinstance(answer, ErrorRejectAbortNack):
            raise as_ours(answer)
        return answer
