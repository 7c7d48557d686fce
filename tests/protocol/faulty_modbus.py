"""A Modbus TCP device on a real socket that answers as told: rightly, late, torn, wrongly, or not at all."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Frame = bytes


def answer(request: Frame, pdu: bytes, *, transaction: int | None = None, unit: int | None = None) -> Frame:
    """A reply frame to a request frame."""
    asked, _, _, from_unit = struct.unpack(">HHHB", request[:7])
    head = struct.pack(
        ">HHHB", asked if transaction is None else transaction, 0, len(pdu) + 1, unit or from_unit
    )
    return head + pdu


def registers(request: Frame) -> Frame:
    """The right reply: each register holds its own address."""
    function, address, count = struct.unpack(">BHH", request[7:12])
    words = struct.pack(f">{count}H", *range(address, address + count))
    return answer(request, bytes([function, len(words)]) + words)


@dataclass
class FaultyDevice:
    """`behave` turns a request into the bytes to send; None keeps silent, b"" hangs up.

    With `torn_s` a reply comes in three parts that far apart: one octet, some octets, the rest.
    """

    behave: Callable[[Frame], Frame | None] = registers
    delay_s: float = 0.0
    torn_s: float = 0.0
    requests: list[Frame] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            while True:
                head = await reader.readexactly(6)
                request = head + await reader.readexactly(struct.unpack(">H", head[4:6])[0])
                self.requests.append(request)
                reply = self.behave(request)
                if reply == b"":
                    return
                if reply is not None:
                    await asyncio.sleep(self.delay_s)
                    for part in (reply[:1], reply[1:9], reply[9:]) if self.torn_s else (reply,):
                        writer.write(part)
                        await writer.drain()
                        await asyncio.sleep(self.torn_s)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._writers.discard(writer)
            writer.close()

    def hang_up(self) -> None:
        """Reset every connection."""
        for writer in list(self._writers):
            writer.transport.abort()


@asynccontextmanager
async def faulty_device(port: int = 0) -> AsyncIterator[FaultyDevice]:
    device = FaultyDevice()
    server = await asyncio.start_server(device.serve, "127.0.0.1", port)
    device.port = server.sockets[0].getsockname()[1]
    try:
        yield device
    finally:
        server.close()
        device.hang_up()
        await server.wait_closed()
