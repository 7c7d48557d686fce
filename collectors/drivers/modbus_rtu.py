"""Modbus RTU frames over any stream of octets: a serial line, or a gateway that passes them through TCP.

RTU has no transaction ids, so one request is under way at a time and its time limit is never shortened: a
reply after it could be taken for the next one's. The poller lets a unit rest for two limits after a miss.
Source: MODBUS over Serial Line V1.02, 2.5.1.
"""

import asyncio
import time

from collectors.drivers.modbus_client import ClientCounts, Late, Reply, connect_stream
from collectors.drivers.modbus_pdu import FAILED, crc_of
from collectors.drivers.serial_port import ByteStream, SerialPort
from energy_center.config.bindings import ModbusRtu
from energy_center.errors import BadFrame, DeviceAway

_SHORTEST = 5  # unit, function, code, and two octets of CRC
_READS = range(1, 5)  # their replies say how long they are
_WRITES = (5, 6, 15, 16)  # their replies are eight octets


def frame_length(received: bytes | bytearray) -> int | None:
    """How many octets the frame that begins here has; None when that is not known yet or never will be."""
    if len(received) < 3:  # noqa: PLR2004  unit, function, and a code or length
        return None
    function = received[1]
    if function & FAILED:
        return _SHORTEST
    if function in _READS:
        return _SHORTEST + received[2]
    return 8 if function in _WRITES else None


class RtuClient(asyncio.Protocol):
    """One line. `request` is called for one request at a time."""

    def __init__(self) -> None:
        self.counts = ClientCounts()
        self._stream: ByteStream | None = None
        self._buffer = bytearray()
        self._unit = 0
        self._reply: asyncio.Future[Reply] | None = None

    @property
    def is_open(self) -> bool:
        """Whether requests can be sent."""
        return self._stream is not None and not self._stream.is_closing()

    async def connect(self, host: str, port: int, within_s: float) -> None:
        """Open a connection to a gateway; raises DeviceAway."""
        await connect_stream(self, host, port, within_s)

    def open_port(self, line: ModbusRtu) -> None:
        """Open a serial port; raises DeviceAway."""
        self._stream = SerialPort(line, self.data_received, self.connection_lost)

    async def request(self, unit: int, pdu: bytes, within_s: float, late: Late | None = None) -> Reply:  # noqa: ARG002
        """Send one request and wait for its reply. A late one cannot be told from an answer to the next.

        Raises:
            DeviceAway: no complete reply in time, or the line was lost.
            BadFrame: what came is not a valid frame.
        """
        if self._stream is None or not self.is_open:
            raise DeviceAway("The connection is closed")
        if self._reply is not None:
            raise RuntimeError("a serial line carries one request at a time")
        self._buffer.clear()
        self._unit = unit
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._reply = reply
        self.counts.requests += 1
        frame = bytes([unit]) + pdu
        try:
            self._stream.write(frame + crc_of(frame))
            async with asyncio.timeout(within_s):
                return await reply
        except TimeoutError as cause:
            raise DeviceAway(unit=unit) from cause
        finally:
            self._reply = None

    def abort(self) -> None:
        """Drop the connection at once."""
        if self._stream is not None:
            self._stream.abort()
        self._fail(DeviceAway("The connection was dropped"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._stream = transport  # type: ignore[assignment]  # create_connection gives a Transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop, or by the port."""
        self._fail(DeviceAway("The connection was lost", why=str(exc or "closed by the device")))

    def data_received(self, data: bytes) -> None:
        """Called by the event loop, or by the port."""
        if self._reply is None or self._reply.done():
            self.counts.late += 1
            return
        self._buffer += data
        while (length := frame_length(self._buffer)) is not None and len(self._buffer) >= length:
            frame = bytes(self._buffer[:length])
            del self._buffer[:length]
            if not self._answer(frame):
                return
        if length is None and len(self._buffer) >= _SHORTEST:
            self._bad("The line carries no Modbus RTU")

    def _answer(self, frame: bytes) -> bool:
        """Take a frame of the right length; True when the line is to be listened to further."""
        if self._reply is None or crc_of(frame[:-2]) != frame[-2:]:
            self._bad("The checksum is wrong")
            return False
        if frame[0] != self._unit:  # late, from the unit asked before
            self.counts.late += 1
            return True
        self.counts.replies += 1
        self._reply.set_result((frame[1:-2], time.time()))
        return False

    def _bad(self, why: str) -> None:
        self.counts.bad += 1
        self._fail(BadFrame(why, unit=self._unit))

    def _fail(self, why: Exception) -> None:
        self._buffer.clear()
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(why)
