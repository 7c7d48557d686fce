"""Listening to the database's notifications on a connection of its own that comes back after an outage."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Final

from energy_center.errors import DatabaseAway
from energy_center.store.pool import check, connect

log = logging.getLogger(__name__)

# Payload of the event that each channel gets after every (re)connection: something may have been missed
RECONNECTED: Final = ""
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 5.0
_CHECK_S = 10.0
_QUEUE = 10_000


async def listen(dsn: str, channels: Sequence[str]) -> AsyncIterator[tuple[str, str]]:
    """Yield (channel, payload) for ever.

    After each connection, the first too, every channel yields the payload `RECONNECTED`, so that a listener
    reads again what it may have missed. A listener that falls 10,000 events behind gets that event instead.
    """
    pause_s = _FIRST_PAUSE_S
    while True:
        try:
            async for event in _listen_once(dsn, channels):
                pause_s = _FIRST_PAUSE_S
                yield event
        except Exception as cause:  # noqa: BLE001  a standby, for one, lets nobody listen until it is promoted
            if pause_s == _FIRST_PAUSE_S:  # once an outage
                log.warning("listener lost the database", extra={"action": "listen", "cause": str(cause)})
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


async def _listen_once(dsn: str, channels: Sequence[str]) -> AsyncIterator[tuple[str, str]]:
    inbox = _Inbox(channels)
    async with connect(dsn) as connection:
        connection.add_termination_listener(inbox.end)
        for channel in channels:
            await connection.add_listener(channel, inbox.keep)
        inbox.reconnected()
        while True:
            try:
                async with asyncio.timeout(_CHECK_S):
                    event = await inbox.events.get()
            except TimeoutError:
                await check(connection)  # a server that vanished without a word
                continue
            if event is None:
                raise DatabaseAway("The connection to the database was lost")
            yield event


class _Inbox:
    """Events between the driver's callbacks and the reader; None ends them."""

    def __init__(self, channels: Sequence[str]) -> None:
        self._channels = channels
        self.events: asyncio.Queue[tuple[str, str] | None] = asyncio.Queue(_QUEUE)

    def reconnected(self) -> None:
        """Tell every channel to read again, in place of what is still queued."""
        while not self.events.empty():
            self.events.get_nowait()
        for channel in self._channels:
            self.events.put_nowait((channel, RECONNECTED))

    def keep(self, _connection: object, _pid: int, channel: str, payload: object) -> None:
        """Queue a notification."""
        if self.events.full():
            self.reconnected()
        else:
            self.events.put_nowait((channel, str(payload)))

    def end(self, _connection: object) -> None:
        """Queue the end of the connection."""
        if self.events.full():
            self.events.get_nowait()
        self.events.put_nowait(None)
