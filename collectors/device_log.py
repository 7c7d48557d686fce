"""What is told about devices: logged once away and once back with the duration, and stored for all to see.

States wait in memory while the database is away; only the newest of each device is kept.
"""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol

from collectors.poller import StateChange

log = logging.getLogger(__name__)


class StateStore(Protocol):
    """Where device states end up. Raises RetryLater while it is away."""

    async def set_state(self, change: StateChange) -> None:
        """Record one change."""

    async def mark_seen(self, seen_at: Mapping[str, datetime]) -> None:
        """Record the last answers of many devices."""


class DeviceLog:
    """All devices of one collector process."""

    def __init__(self) -> None:
        self._state: dict[str, StateChange] = {}
        self._untold: dict[str, StateChange] = {}
        self._seen_at: dict[str, float] = {}

    @property
    def online(self) -> int:
        """How many devices answer."""
        return sum(change.online for change in self._state.values())

    def seen(self, device_id: str, at: float) -> None:
        """Note an answer."""
        self._seen_at[device_id] = at

    def report(self, change: StateChange) -> None:
        """Note a change; log it unless it is the device's first answer after the start."""
        before = self._state.get(change.device_id)
        self._state[change.device_id] = change
        self._untold[change.device_id] = change
        if not change.online:
            log.warning(
                "device away",
                extra={"action": "device_away", "device": change.device_id, "why": change.detail},
            )
        elif before is not None:
            away_s = round(change.at - before.at, 1)
            log.info(
                "device back", extra={"action": "device_back", "device": change.device_id, "after_s": away_s}
            )

    async def tell(self, store: StateStore) -> None:
        """Store what is not stored yet; raises RetryLater and keeps the rest."""
        for device_id, change in list(self._untold.items()):
            await store.set_state(change)
            if self._untold.get(device_id) is change:
                del self._untold[device_id]
        seen, self._seen_at = self._seen_at, {}
        if seen:
            await store.mark_seen({d: datetime.fromtimestamp(at, UTC) for d, at in seen.items()})

    def tell_all_again(self) -> None:
        """After the database was away: store every state again, it may have been restored from a backup."""
        self._untold = dict(self._state)
