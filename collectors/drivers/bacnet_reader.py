"""Reads of many properties over a socket of their own, beside the library's application.

The library's stack takes 200 µs a value (2026-11-24): a core's whole time at 5,000 values/s. Requests here
ask for unsegmented answers; everything else (writes, subscriptions, single reads) goes through the library.
"""

import asyncio
import socket
from dataclasses import dataclass
from typing import cast

from bacpypes3.basetypes import ErrorClass, ErrorCode

from collectors.drivers.bacnet_refusals import aborted, refused, rejected
from collectors.drivers.bacnet_wire import READ_MULTIPLE, Reply, datagram, network_header, reply_in
from energy_center.errors import BadFrame, DeviceAway, DeviceRefused

_COMPLEX_ACK, _ERROR, _REJECT, _ABORT = 3, 5, 6, 7  # APDU types, 20.1
_SEGMENTED = 0x08

Peer = tuple[tuple[str, int], int | None, bytes]  # host and port, network and station behind them


@dataclass(frozen=True, slots=True)
class Station:
    """Where a device is: its own or its router's host and port, and its place behind the router."""

    host: str
    port: int
    network: int | None = None
    station: bytes = b""

    @property
    def peer(self) -> Peer:
        """As its answers are told apart."""
        return ((self.host, self.port), self.network, self.station)


class Reader(asyncio.DatagramProtocol):
    """Requests in flight from one socket, each known by its device and invoke id."""

    def __init__(self) -> None:
        self._transport: asyncio.DatagramTransport | None = None
        self._waiting: dict[tuple[Peer, int], asyncio.Future[bytes]] = {}
        self._invoke: dict[Peer, int] = {}

    @property
    def is_open(self) -> bool:
        """Whether there is a socket to send through."""
        return self._transport is not None

    async def open(self, own_address: str) -> None:
        """Bind any free port of an address of ours."""
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            bound.bind((own_address, 0))
            bound.setblocking(False)  # noqa: FBT003  the standard library's own
            await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, sock=bound)
        except BaseException:
            bound.close()
            raise

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what to send through."""
        # no subclass of it in the standard library, though it has all of its methods
        self._transport = cast("asyncio.DatagramTransport", transport)

    def close(self) -> None:
        """Let go of the port; who waits hears that the device is away."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(DeviceAway("The connection is closed"))

    async def ask(self, station: Station, parameters: bytes, limit_s: float) -> bytes:
        """The parameters of the acknowledgement; raises as drivers do."""
        if self._transport is None:
            raise DeviceAway("The connection is closed")
        peer = station.peer
        invoke = self._next_invoke(peer)
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[peer, invoke] = answer
        header = network_header(station.network, station.station)
        try:
            self._transport.sendto(datagram(header, invoke, parameters), peer[0])
            async with asyncio.timeout(limit_s):
                apdu = await answer
        except TimeoutError as cause:
            raise DeviceAway(host=station.host) from cause
        except OSError as cause:
            raise DeviceAway("The request cannot be sent", host=station.host, why=cause.strerror) from cause
        finally:
            self._waiting.pop((peer, invoke), None)
        return _parameters(apdu)

    def _next_invoke(self, peer: Peer) -> int:
        """The next invoke id that no request to this device waits with, from 0 to 255."""
        last = self._invoke.get(peer, 255)
        for step in range(1, 257):
            invoke = (last + step) % 256
            if (peer, invoke) not in self._waiting:
                self._invoke[peer] = invoke
                return invoke
        raise DeviceAway("Too many requests wait for this device", host=peer[0][0])

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Hand an answer to who waits for it; late, foreign and damaged ones are nobody's."""
        reply = reply_in(data)
        if reply is None or not _is_answer(reply):
            return
        waiting = self._waiting.get(((addr[:2], reply.network, reply.station), reply.apdu[1]))
        if waiting is not None and not waiting.done():
            waiting.set_result(reply.apdu)


def _is_answer(reply: Reply) -> bool:
    kind = reply.apdu[0] >> 4
    if kind in (_COMPLEX_ACK, _ERROR) and not reply.apdu[0] & _SEGMENTED:
        return reply.apdu[2] == READ_MULTIPLE
    return kind in (_COMPLEX_ACK, _REJECT, _ABORT)


def _parameters(apdu: bytes) -> bytes:
    """What an acknowledgement holds; raises what anything else means."""
    match apdu[0] >> 4:
        case 3 if not apdu[0] & _SEGMENTED:
            return apdu[3:]
        case 3:
            raise BadFrame("The device sends segments that were not asked for")
        case 6:
            raise rejected(apdu[2])
        case 7:
            raise aborted(apdu[2])
    raise _error(apdu)


def _error(apdu: bytes) -> DeviceRefused | BadFrame:
    """Class and code, two enumerated values (20.1.7)."""
    numbers, at = [], 3
    while at < len(apdu) and apdu[at] >> 4 == 9:  # noqa: PLR2004  the tag of enumerated
        size = apdu[at] & 0x07
        numbers.append(int.from_bytes(apdu[at + 1 : at + 1 + size], "big"))
        at += 1 + size
    if len(numbers) < 2:  # noqa: PLR2004
        return BadFrame("The device's error cannot be read")
    return refused(f"{ErrorClass(numbers[0])}: {ErrorCode(numbers[1])}")
