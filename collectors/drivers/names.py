"""Host names to addresses, without holding up the event loop: a name server may take seconds."""

import asyncio
import socket

from energy_center.errors import DeviceAway


async def looked_up(host: str, port: int, within_s: float, family: int = socket.AF_UNSPEC) -> str:
    """The first address of a host; raises DeviceAway when it cannot be looked up in time."""
    try:
        async with asyncio.timeout(within_s):
            found = await asyncio.get_running_loop().getaddrinfo(host, port or None, family=family)
    except OSError as cause:  # TimeoutError is one
        raise DeviceAway("The name cannot be looked up", host=host, why=str(cause)) from cause
    return str(found[0][4][0])
