"""`python -m tests.bench.bacnet_devices N`: the BACnet benchmark's devices, on the core where it is started.

N ports that answer every ReadPropertyMultiple at once, from what they answered before, so that the client is
the limit; and N of the demo's simulated controllers, whose values change all the time. Prints both lists of
ports as JSON.
"""

import asyncio
import json
import struct
import sys
import time

from simulators import catalogue
from simulators.devices.bacnet import BacnetServer
from simulators.devices.source import Source

EQUIPMENT = 15  # fan coils a controller


class Echo(asyncio.DatagramProtocol):
    """Each object reads 20.0 plus a count, with flags of a sound sensor."""

    def __init__(self) -> None:
        self._known: dict[bytes, bytes] = {}
        self._count = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        invoke, service, parameters = data[8], data[9], data[10:]
        if service != 14:  # properties of the device itself: unknown
            body = bytes((0x50, invoke, service, 0x91, 1, 0x91, 31))
        else:
            self._count = (self._count + 1) % 1000
            reading = struct.pack(">f", 20.0 + self._count)
            told = self._known.get(parameters) or self._known.setdefault(parameters, _told(parameters))
            body = bytes((0x30, invoke, service)) + told[:10] + reading + told[14:]
        frame = struct.pack(">BBHBB", 0x81, 0x0A, 6 + len(body), 1, 0) + body
        self._transport.sendto(frame, addr)


def _told(parameters: bytes) -> bytes:
    """Each specification is object (5), list tags and two properties of two octets."""
    out = bytearray()
    for at in range(0, len(parameters), 11):
        out += parameters[at : at + 5] + bytes.fromhex("1e 2955 4e 44 41a00000 4f 296f 4e 820400 4f 1f")
    return bytes(out)


class Rising:
    """Every reading rises from 0 to 1 within a second, so that it has changed whenever it is looked at."""

    def value(self, equipment_id: str, signal: str) -> float:
        return time.monotonic() % 1.0

    def is_silent(self, equipment_id: str) -> bool:
        return False


async def main(devices: int) -> None:
    """Answer until the standard input ends."""
    loop = asyncio.get_running_loop()
    echoes, simulated = [], []
    for _ in range(devices):
        transport, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
        echoes.append(transport.get_extra_info("sockname")[1])
    source = Source(Rising())
    for n in range(devices):
        wired = catalogue.Connection(f"c{n}", catalogue.Wire.BACNET, 0, 2001 + n)
        lines = [catalogue.Line(f"c{n}-{i}", "fcu", f"c{n}", base=10 * i) for i in range(EQUIPMENT)]
        simulated.append(await BacnetServer(wired, lines, source).start("127.0.0.1", 0))
    sys.stdout.write(json.dumps([echoes, simulated]) + "\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
