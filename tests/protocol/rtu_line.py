"""A serial line made of a pseudo-terminal, with units on it that answer as told."""

import asyncio
import os
import struct
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pymodbus.framer import FramerRTU

Frame = bytes


def sealed(frame: Frame) -> Frame:
    """The frame with its checksum, by another program than ours."""
    return frame + FramerRTU.compute_CRC(frame).to_bytes(2, "big")


def registers(request: Frame) -> Frame:
    """The right reply: each register holds its own address."""
    unit, function, address, count = struct.unpack(">BBHH", request[:6])
    words = struct.pack(f">{count}H", *range(address, address + count))
    return sealed(bytes([unit, function, len(words)]) + words)


@dataclass
class RtuLine:
    """`behave` turns a request into the octets on the line; None keeps silent."""

    port: str
    handle: int
    behave: Callable[[Frame], Frame | None] = registers
    requests: list[Frame] = field(default_factory=list)

    def read(self) -> None:
        request = os.read(self.handle, 512)
        self.requests.append(request)
        assert sealed(request[:-2]) == request
        reply = self.behave(request)
        if reply is not None:
            self.say(reply)

    def say(self, octets: bytes) -> None:
        os.write(self.handle, octets)

    def pull_out(self) -> None:
        """As when the adapter is taken from its socket."""
        asyncio.get_running_loop().remove_reader(self.handle)
        os.close(self.handle)
        self.handle = -1


@contextmanager
def rtu_line() -> Iterator[RtuLine]:
    """A line; ends with the adapter pulled out."""
    far, near = os.openpty()
    tty.setraw(far)
    line = RtuLine(os.ttyname(near), far)
    asyncio.get_running_loop().add_reader(far, line.read)
    try:
        yield line
    finally:
        if line.handle >= 0:
            line.pull_out()
        os.close(near)
