"""Who is there, and what they hold: devices by Who-Is, their objects by object list and properties.

Source: ASHRAE 135-2020, 12.11 (object-list), 15.5 (the wildcard device 4194303), 16.10 (Who-Is).
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bacpypes3.apdu import WhoIsRequest
from bacpypes3.pdu import PDU, Address, GlobalBroadcast, IPv4Address, LocalBroadcast
from bacpypes3.primitivedata import ObjectIdentifier

from collectors.drivers.bacnet_client import Conversation, SharedApplication, own_address_towards
from collectors.found_bacnet import PORT, FoundDevice
from energy_center.config.bindings import BacnetIp
from energy_center.errors import BadFrame, DeviceAway, DeviceRefused, NotSupported

LAST_INSTANCE = 4_194_302
_WILDCARD = 4_194_303  # each device answers for it as for its own instance
_AGAIN_AFTER = 0.4  # of the wait: datagrams get lost


@dataclass(frozen=True, slots=True)
class Search:
    """Whom to ask: a device, router or broadcast address, a BBMD, or both; instances from `low` to `high`."""

    host: str | None
    port: int = PORT
    bbmd: str | None = None
    low: int = 0
    high: int = LAST_INSTANCE
    wait_s: float = 3.0
    timeout_s: float = 4.0


class _Replies(asyncio.DatagramProtocol):
    """Broadcast I-Ams, handed to the library as if they had come to our own port."""

    def __init__(self, server: Any) -> None:  # noqa: ANN401  of bacpypes3
        self._server = server
        self._handling: set[asyncio.Task[None]] = set()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        pdu = PDU(data, source=IPv4Address(addr[:2]), destination=LocalBroadcast())
        task = asyncio.get_running_loop().create_task(self._server.confirmation(pdu))
        self._handling.add(task)
        task.add_done_callback(self._handling.discard)


async def find_devices(search: Search, say: Callable[[str], None]) -> list[FoundDevice]:
    """All devices that answer within the wait, by instance; raises DeviceAway when nothing can be sent."""
    own, is_broadcast = _own_address(search)
    found: dict[int, FoundDevice] = {}
    shared = SharedApplication.acquire(own, search.bbmd)

    def announced(apdu: Any) -> None:  # noqa: ANN401  an I-Am
        device = _device(apdu)
        if search.low <= device.instance <= search.high:
            found.setdefault(device.instance, device)

    try:
        async with asyncio.timeout(search.timeout_s):
            await shared.ready()
    except TimeoutError as cause:
        shared.release()
        raise DeviceAway("The BBMD does not answer", bbmd=str(search.bbmd)) from cause
    except BaseException:
        shared.release()
        raise
    try:
        shared.client.announced = announced
        async with _listening(shared.client, search, say) if is_broadcast else contextlib.nullcontext():
            for pause in (search.wait_s * _AGAIN_AFTER, search.wait_s * (1 - _AGAIN_AFTER)):
                for destination in _destinations(search, is_broadcast=is_broadcast):
                    await _ask_who(shared.client, search, destination)
                await asyncio.sleep(pause)
    finally:
        shared.client.announced = None
        shared.release()
    if not found and search.host is not None and not is_broadcast:
        found = await _by_wildcard(search)
    return [found[n] for n in sorted(found)]


def _own_address(search: Search) -> tuple[str, bool]:
    """Our address towards them, and whether the host is a broadcast address of our network."""
    host, _, port = (search.bbmd or "").partition(":")
    if search.host is None:
        return own_address_towards(host, int(port or PORT)), False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        try:
            plain.connect((search.host, search.port))
        except PermissionError:  # how the system refuses a broadcast that was not asked for
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            plain.connect((search.host, search.port))
            return str(plain.getsockname()[0]), True
        except OSError as cause:
            why = cause.strerror
            raise DeviceAway("There is no route to the device", host=search.host, why=why) from cause
        return str(plain.getsockname()[0]), False


def _destinations(search: Search, *, is_broadcast: bool) -> list[Address]:
    """The host itself and, should it be a router, all networks behind it; or everybody."""
    if search.bbmd is not None or is_broadcast or search.host is None:
        return [GlobalBroadcast()]
    direct = IPv4Address(f"{socket.gethostbyname(search.host)}:{search.port}")
    return [direct, GlobalBroadcast(route=direct)]


async def _ask_who(client: Any, search: Search, destination: Address) -> None:  # noqa: ANN401  the application
    request = WhoIsRequest(destination=destination)
    if (search.low, search.high) != (0, LAST_INSTANCE):
        request.deviceInstanceRangeLowLimit = search.low
        request.deviceInstanceRangeHighLimit = search.high
    client.request(request)


@asynccontextmanager
async def _listening(client: Any, search: Search, say: Callable[[str], None]) -> AsyncIterator[None]:  # noqa: ANN401
    """Hear devices that answer by broadcast, as most do; their broadcasts go to their own port."""
    server = client.normal.server
    if search.bbmd is None:
        server.broadcast_address = (search.host, search.port)
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.setblocking(False)  # noqa: FBT003  the standard library's own
    try:
        listener.bind((search.host, search.port))
    except OSError:
        listener.close()
        say(f"port {search.port} is taken here: devices that answer by broadcast are not heard")
        yield
        return
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Replies(server), sock=listener)
    try:
        yield
    finally:
        transport.close()


def _device(apdu: Any) -> FoundDevice:  # noqa: ANN401  an I-Am
    source = apdu.pduSource
    direct = source.addrRoute or source
    host, port = IPv4Address(str(direct)).addrTuple if ":" in str(direct) else (str(direct), PORT)
    network, station = source.addrNet, None
    if network is not None:
        station = _station(bytes(source.addrAddr))
    return FoundDevice(
        int(apdu.iAmDeviceIdentifier[1]),
        host,
        port,
        network,
        station,
        int(apdu.maxAPDULengthAccepted),
        str(apdu.segmentationSupported),
    )


def _station(octets: bytes) -> str:
    """As the site file writes it."""
    if len(octets) == 1:
        return str(octets[0])
    if len(octets) == 6:  # noqa: PLR2004  BACnet/IP
        return f"{socket.inet_ntoa(octets[:4])}:{int.from_bytes(octets[4:], 'big')}"
    return f"0x{octets.hex()}"


async def _by_wildcard(search: Search) -> dict[int, FoundDevice]:
    """A device whose I-Am is a broadcast, which we do not hear, still answers to a direct question."""
    talk = Conversation(BacnetIp(str(search.host), search.port, _WILDCARD, search.timeout_s))
    await talk.open()
    try:
        asked = ObjectIdentifier(f"device,{_WILDCARD}")
        identifier = await talk.ask("read_property", asked, "object-identifier")
    except (DeviceAway, DeviceRefused, NotSupported, BadFrame):
        return {}
    finally:
        talk.close()
    instance = int(identifier[1])
    if not search.low <= instance <= search.high:
        return {}
    return {instance: FoundDevice(instance, str(search.host), search.port)}
