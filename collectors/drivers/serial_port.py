"""A serial port on the event loop: eight data bits, no flow control, one user at a time. For POSIX.

Needs nothing beyond the standard library: a client of RTU sends a few octets and waits.
"""

import asyncio
import contextlib
import fcntl
import os
import termios
from collections.abc import Callable
from typing import Protocol

from energy_center.config.bindings import ModbusRtu, Parity
from energy_center.errors import DeviceAway

_PARITY = {Parity.NONE: 0, Parity.EVEN: termios.PARENB, Parity.ODD: termios.PARENB | termios.PARODD}


class ByteStream(Protocol):
    """What a client needs of a transport."""

    def write(self, data: bytes) -> None:
        """Send."""

    def is_closing(self) -> bool:
        """Whether nothing can be sent any more."""

    def abort(self) -> None:
        """Close at once."""


class SerialPort:
    """An open port; what it receives goes to `received`, its end to `lost`."""

    def __init__(
        self, line: ModbusRtu, received: Callable[[bytes], None], lost: Callable[[Exception | None], None]
    ) -> None:
        """Open and set up the port; raises DeviceAway when it is not there, taken, or no serial port."""
        self._received = received
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._handle = _open(line)
        self._loop.add_reader(self._handle, self._read)

    def write(self, data: bytes) -> None:
        """Send; a port that takes nothing any more ends."""
        try:
            sent = os.write(self._handle, data)
        except OSError as cause:
            self._end(cause)
            return
        if sent < len(data):  # the kernel's buffer holds many requests
            self._end(BlockingIOError("the port does not send"))

    def is_closing(self) -> bool:
        """Whether the port is closed."""
        return self._handle < 0

    def abort(self) -> None:
        """Close the port."""
        if self._handle >= 0:
            self._loop.remove_reader(self._handle)
            with contextlib.suppress(termios.error):
                termios.tcflush(self._handle, termios.TCIOFLUSH)
            os.close(self._handle)
            self._handle = -1

    def _read(self) -> None:
        try:
            data = os.read(self._handle, 512)
        except BlockingIOError:
            return
        except OSError as cause:  # an adapter that was pulled out
            self._end(cause)
            return
        if data:
            self._received(data)
        else:
            self._end(None)

    def _end(self, cause: Exception | None) -> None:
        self.abort()
        self._lost(cause)


def _open(line: ModbusRtu) -> int:
    handle = -1
    try:
        handle = os.open(line.port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _set_up(handle, line)
    except (OSError, termios.error) as cause:
        if handle >= 0:
            os.close(handle)
        why = "in use" if isinstance(cause, BlockingIOError) else str(cause.args[-1])
        raise DeviceAway("The port cannot be opened", port=line.port, why=why) from cause
    return handle


def _set_up(handle: int, line: ModbusRtu) -> None:
    speed = getattr(termios, f"B{line.baud_rate}")
    flags = termios.CS8 | termios.CREAD | termios.CLOCAL | _PARITY[line.parity]
    if line.stop_bits == 2:  # noqa: PLR2004  the other choice is one
        flags |= termios.CSTOPB
    check = termios.INPCK if line.parity is not Parity.NONE else 0
    special = termios.tcgetattr(handle)[6]
    special[termios.VMIN], special[termios.VTIME] = 1, 0
    termios.tcsetattr(handle, termios.TCSANOW, [check, 0, flags, 0, speed, speed, special])
    termios.tcflush(handle, termios.TCIOFLUSH)
