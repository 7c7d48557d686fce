"""A BACnet/IP proxy: datagrams broken by name, and intact replies counted; notifications when confirmed.

Source of the encodings: ASHRAE 135-2020, 20.1 (APDUs), annex J (BACnet/IP).
"""

import asyncio
import random
import struct
import time
from collections.abc import Callable, Mapping

from simulators.faultproxy.covered import BacnetCover, apdu_at, told_invoke, values_in
from simulators.faultproxy.tally import Tally, certainty
from simulators.served import Key

Address = tuple[str, int]
Wire = Callable[[bytes, Address], None]
_REJECT, _ABORT, _ERROR = 0x60, 0x71, 0x50
_SIMPLE_ACK = 2
_FLAPPING_S = 5.0


class BacnetFront:
    """One controller of the site. The client speaks to our port; each client has a socket to the device."""

    def __init__(self, upstream: Address, cover: BacnetCover, tally: Tally, limit_s: float = 4.0) -> None:
        self._upstream = upstream
        self._cover = cover
        self._tally = tally
        self._limit_s = limit_s
        self._fault = ""
        self._began = 0.0
        self._number = 0
        self._rng = random.Random(5)
        self._at: Address = ("127.0.0.1", 0)
        self._front: asyncio.DatagramTransport | None = None
        self._towards: dict[Address, asyncio.DatagramTransport] = {}
        self._asked: dict[tuple[Address, int], float] = {}
        self._told: dict[tuple[Address, int], list[Key]] = {}  # and not confirmed yet

    async def start(self, at: Address) -> Address:
        """Bind the host and port, 0 for a free one; returns where."""
        self._at = at
        await self._open()
        return self._at

    async def _open(self) -> None:
        if self._front is None:
            loop = asyncio.get_running_loop()
            self._front, _ = await loop.create_datagram_endpoint(
                lambda: _Datagrams(self._from_client), local_addr=self._at
            )
            self._at = self._front.get_extra_info("sockname")[:2]

    async def begin(self, name: str, address: int | None = None) -> None:  # noqa: ARG002  the interface of fronts
        """Break things from now on."""
        self._fault, self._began, self._number = name, time.monotonic(), 0
        if name == "restart" and self._front is not None:
            self._front.close()  # the port is refused by the host, as of a controller's program that ended
            self._front = None
            await asyncio.sleep(6.0)
            await self._open()

    async def end(self) -> None:
        """Pass on everything again."""
        self._fault = ""
        await self._open()

    def close(self) -> None:
        """Release all ports."""
        for transport in (self._front, *self._towards.values()):
            if transport is not None:
                transport.close()

    def _from_client(self, datagram: bytes, client: Address) -> None:
        asyncio.ensure_future(self._pass_on(datagram, client)).add_done_callback(_done)

    async def _pass_on(self, datagram: bytes, client: Address) -> None:
        at = apdu_at(datagram)
        if at is not None and datagram[at] >> 4 == 0:
            self._asked[client, datagram[at + 2]] = time.monotonic()
            await self._tally.passage()
            instead = self._instead(datagram[at + 2], datagram[at + 3])
            if instead is not None:
                if instead and self._front is not None:
                    self._front.sendto(instead, client)
                return
        if at is not None and datagram[at] >> 4 == _SIMPLE_ACK:
            self._tally.add(self._told.pop((client, datagram[at + 1]), []))
        if client not in self._towards:
            loop = asyncio.get_running_loop()
            self._towards[client], _ = await loop.create_datagram_endpoint(
                lambda: _Datagrams(lambda reply, _: self._from_device(reply, client)),
                remote_addr=self._upstream,
            )
        self._towards[client].sendto(datagram)

    def _instead(self, invoke: int, service: int) -> bytes | None:
        """What a request is answered with; empty for silence, None to pass it on."""
        if self._is_silent():
            return b""
        match self._fault:
            case name if name in _REFUSALS:
                self._number += 1
                return _wrapped(_REFUSALS[name](invoke, service)) if self._number % 2 else None
            case _:
                return None

    def _is_silent(self) -> bool:
        if self._fault == "flapping":
            return (time.monotonic() - self._began) % (2 * _FLAPPING_S) < _FLAPPING_S
        return self._fault == "silence"

    def _from_device(self, datagram: bytes, client: Address) -> None:
        asyncio.ensure_future(self._give(datagram, client)).add_done_callback(_done)

    def _tell(self, datagram: bytes, client: Address, invoke: int) -> None:
        """A change told by the device: counted when the client confirms it, which it does once it has it."""
        if self._front is None or self._is_silent():
            return  # a device that is not heard
        self._told[client, invoke] = self._cover.told(datagram)
        for _ in range(2 if self._fault == "duplicated" else 1):
            self._front.sendto(datagram, client)

    async def _give(self, datagram: bytes, client: Address) -> None:
        if (told := told_invoke(datagram)) is not None:
            self._tell(datagram, client, told)
            return
        at = apdu_at(datagram)
        asked_at = None if at is None else self._asked.get((client, datagram[at + 1]))
        self._number += 1
        change = _CHANGES.get(self._fault)
        strikes = self._number % 2 or self._fault in _ALWAYS
        if change is None or asked_at is None or not strikes:
            self._send(datagram, client, asked_at)
            return
        wait_s, datagrams, intact = change(datagram, self._rng)
        await asyncio.sleep(wait_s)
        for i, each in enumerate(datagrams):
            self._send(each, client, asked_at if intact and i == 0 else None)
            if i + 1 < len(datagrams):
                await asyncio.sleep(0.2)

    def _send(self, datagram: bytes, client: Address, asked_at: float | None) -> None:
        if self._front is None:
            return
        self._front.sendto(datagram, client)
        if asked_at is None:
            return
        in_time = certainty(time.monotonic() - asked_at, self._limit_s)
        if in_time is not False:
            self._tally.add(self._cover.keys(datagram), sure=bool(in_time))


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, take: Wire) -> None:
        self._take = take

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._take(data, addr[:2])


def _done(task: "asyncio.Future[None]") -> None:
    if not task.cancelled() and (why := task.exception()) is not None:
        raise why


def _wrapped(apdu: bytes) -> bytes:
    return struct.pack(">BBHBB", 0x81, 0x0A, 6 + len(apdu), 1, 0) + apdu


_REFUSALS: Mapping[str, Callable[[int, int], bytes]] = {
    # reason 9: unrecognized service; 1: buffer overflow (135-2020, 21, BACnetRejectReason)
    "reject": lambda invoke, _: bytes((_REJECT, invoke, 9)),
    "reject-other": lambda invoke, _: bytes((_REJECT, invoke, 0)),
    # reason 0: other; 1: buffer overflow; 4: segmentation not supported (BACnetAbortReason)
    "abort": lambda invoke, _: bytes((_ABORT, invoke, 0)),
    "abort-too-long": lambda invoke, _: bytes((_ABORT, invoke, 1)),
    "segmentation-not-supported": lambda invoke, _: bytes((_ABORT, invoke, 4)),
    # class device (0), code operational-problem (25)
    "error": lambda invoke, service: bytes((_ERROR, invoke, service, 0x91, 0, 0x91, 25)),
}

Change = Callable[[bytes, random.Random], tuple[float, tuple[bytes, ...], bool]]


def _first_segment(datagram: bytes, _: random.Random) -> tuple[float, tuple[bytes, ...], bool]:
    """A first segment that says more follows; the rest never comes (20.1.5)."""
    at = apdu_at(datagram) or 0
    head = bytes((0x3C, datagram[at + 1], 0, 4)) + datagram[at + 2 : at + 40]
    return 0.0, (_wrapped(head),), False


def _wrong_invoke(datagram: bytes, _: random.Random) -> tuple[float, tuple[bytes, ...], bool]:
    at = apdu_at(datagram) or 0
    other = bytes(((datagram[at + 1] + 100) & 0xFF,))
    return 0.0, (datagram[: at + 1] + other + datagram[at + 2 :],), False


def _not_a_number(datagram: bytes, _: random.Random) -> tuple[float, tuple[bytes, ...], bool]:
    changed = bytearray(datagram)
    for value in values_in(datagram):
        if value.tag == 4:
            struct.pack_into(">f", changed, value.at, float("nan"))
    return 0.0, (bytes(changed),), True


def _cut(datagram: bytes, _: random.Random) -> tuple[float, tuple[bytes, ...], bool]:
    return 0.0, (datagram[: max(len(datagram) // 2, 10)],), False


def _noise(_: bytes, rng: random.Random) -> tuple[float, tuple[bytes, ...], bool]:
    return 0.0, (rng.randbytes(60), b"\x81\x0a\x00\x06\x01\x00", b""), False


_CHANGES: Mapping[str, Change] = {
    "slow": lambda datagram, _: (1.0, (datagram,), True),
    "late": lambda datagram, _: (6.0, (datagram,), True),
    "duplicated": lambda datagram, _: (0.0, (datagram, datagram), True),
    "first-segment-only": _first_segment,
    "wrong-invoke-id": _wrong_invoke,
    "nan": _not_a_number,
    "cut": _cut,
    "garbage": _noise,
}
_ALWAYS = {"slow", "duplicated", "nan"}
