"""Whether a system is there, and how long its answer takes: TCP connect, ICMP echo or an HTTP status.

For systems that offer no values (CCTV, access control, telephone exchanges). No answer is here the reading 0,
not a missing one; what only we cannot do (look up the name, reach any network, send ICMP) is no reading.
"""

import asyncio
import errno
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

import httpx
import numpy as np
from icmplib import ICMPLibError, NameLookupError, SocketPermissionError, async_ping

from collectors.driver import BusContext, Sample
from collectors.drivers.names import looked_up
from energy_center.config.bindings import Check, Device, Heartbeat, HeartbeatSource, Measure, PointBinding
from energy_center.errors import DeviceAway, NotSupported

_OUR_NETWORK_IS_DOWN = (errno.ENETUNREACH, errno.ENETDOWN)
_ECHOES = 2  # one echo may be lost without the system being down
_FIRST_ERROR_STATUS = 400
_NO_PERMISSION = (
    "this kernel lets us send no ICMP echo: allow our group in net.ipv4.ping_group_range, give the program "
    "CAP_NET_RAW, or use check tcp"
)


@dataclass(frozen=True, slots=True)
class HeartbeatBlock:
    """What one attempt tells."""

    device_id: str
    interval_s: float
    bindings: tuple[PointBinding, ...]


class HeartbeatDriver:
    """One system. Each has a connection of its own, so a slow one delays no other."""

    def __init__(self, context: BusContext) -> None:
        """Nothing is held open between two attempts."""
        if not isinstance(context.connection.target, Heartbeat):
            raise TypeError(f"{context.connection.connection_id} is not a heartbeat")
        self._target = context.connection.target
        self._tls: ssl.SSLContext | None = None
        self.is_open = False

    @property
    def time_limit_s(self) -> float:
        """Longest that one attempt may take."""
        return self._target.timeout_s

    def plan(self, devices: Sequence[Device], bindings: Sequence[PointBinding]) -> list[HeartbeatBlock]:  # noqa: ARG002  a connection is one system
        """One attempt for all points, at the shortest of their intervals."""
        if not bindings:
            return []
        interval = min(b.interval_s for b in bindings)
        return [HeartbeatBlock(bindings[0].device_id, interval, tuple(bindings))]

    async def open(self) -> None:
        """Read the certificates where HTTPS needs them; raises DeviceAway when they cannot be used."""
        if self._target.check is Check.HTTPS:
            try:
                self._tls = await asyncio.to_thread(ssl.create_default_context, cafile=self._target.ca_file)
            except OSError as cause:  # ssl.SSLError is one
                raise DeviceAway("The certificates cannot be used", why=str(cause)) from cause
        self.is_open = True

    async def read(self, block: HeartbeatBlock) -> Sample:
        """Try once; the time of the sample is that of the answer, without one that of the attempt."""
        started = time.monotonic()
        answered = await self._answers()
        round_trip_ms = answered if answered is not None else float("nan")
        at = time.time() if answered is not None else time.time() - (time.monotonic() - started)
        numbers = {Measure.REACHABLE: float(answered is not None), Measure.ROUND_TRIP: round_trip_ms}
        values = np.array([b.scaling(numbers[_measure(b)]) for b in block.bindings])
        return Sample(at, values, np.zeros(len(values), dtype=np.int16))

    def split(self, block: HeartbeatBlock) -> list[HeartbeatBlock]:  # noqa: ARG002  one attempt is one attempt
        """Nothing smaller."""
        return []

    async def close(self) -> None:
        """Nothing is held."""
        self.is_open = False

    async def _answers(self) -> float | None:
        """Milliseconds until the answer; None without one within the time limit."""
        target = self._target
        address = await looked_up(target.host, target.port, target.timeout_s)
        try:
            async with asyncio.timeout(target.timeout_s):
                match target.check:
                    case Check.TCP:
                        return await _connected(address, target.port)
                    case Check.ICMP:
                        return await _echoed(address, target.timeout_s)
                    case Check.HTTP | Check.HTTPS:
                        return await self._served()
                    case never:
                        assert_never(never)
        except TimeoutError:
            return None

    async def _served(self) -> float | None:
        """An answer below 400; redirections are an answer and are not followed."""
        target = self._target
        host = f"[{target.host}]" if ":" in target.host else target.host
        started = time.monotonic()
        try:
            async with (
                httpx.AsyncClient(verify=self._tls or False, timeout=None, trust_env=False) as client,  # noqa: S113  the caller limits the time; HTTP has no certificate
                client.stream("GET", f"{target.check}://{host}:{target.port}{target.path}") as answer,
            ):
                took_ms = (time.monotonic() - started) * 1000.0
                return took_ms if answer.status_code < _FIRST_ERROR_STATUS else None
        except httpx.HTTPError:
            return None


def _measure(binding: PointBinding) -> Measure:
    if not isinstance(binding.source, HeartbeatSource):
        raise TypeError(f"{binding.key} is not of a heartbeat")
    return binding.source.measure


async def _connected(address: str, port: int) -> float | None:
    started = time.monotonic()
    try:
        _, writer = await asyncio.open_connection(address, port)
    except OSError as cause:
        if cause.errno in _OUR_NETWORK_IS_DOWN:
            raise DeviceAway("Our own network is down", why=str(cause)) from cause
        return None
    took_ms = (time.monotonic() - started) * 1000.0
    writer.transport.abort()  # the system is told nothing, so there is nothing to say good-bye to
    return took_ms


async def _echoed(address: str, timeout_s: float) -> float | None:
    for privileged in (False, True):
        try:
            host = await async_ping(
                address, count=_ECHOES, interval=0.05, timeout=timeout_s / _ECHOES, privileged=privileged
            )
        except SocketPermissionError:
            continue
        except NameLookupError as cause:
            raise DeviceAway("The name cannot be looked up", why=str(cause)) from cause
        except (ICMPLibError, OSError) as cause:
            raise DeviceAway("No echo can be sent", why=str(cause)) from cause
        return float(host.min_rtt) if host.is_alive else None
    raise NotSupported("No permission", why=_NO_PERMISSION)
