"""Change of value: subscriptions of one device's points, renewed at half their life between the reads.

Source: ASHRAE 135-2020, 13.1 and 13.14. Polling stays the truth: the points are read at their interval
whether a notification comes or not. A subscription from which nothing came for its whole life, though each
renewal asks for a notification, is dropped and made anew; a device that goes on so is left to polling. After
a silence of the device all is subscribed anew, since a restart has made it forget.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bacpypes3.apdu import SubscribeCOVRequest
from bacpypes3.basetypes import BinaryPV, StatusFlags
from bacpypes3.primitivedata import Double, Integer, Real, Unsigned

from collectors.check_quality import RangeCheck
from collectors.driver import Push
from collectors.drivers.bacnet_client import Conversation
from collectors.drivers.bacnet_values import FLAGS, PRESENT, identifier_of, place_of, sample_of
from collectors.plan_objects import source_of
from energy_center.config.bindings import PointBinding
from energy_center.errors import BadFrame, DeviceAway, DeviceRefused, NotSupported

log = logging.getLogger(__name__)

LIFETIME_S = 300.0
REFUSED_PAUSE_S = 3600.0
UNANSWERED_PAUSE_S = 60.0
SILENT_LIVES = 3  # in a row, until a subscription counts as refused
MOST_A_TURN = 10  # renewals between two reads, so that reading goes on


@dataclass(slots=True)
class _Watch:
    """One point's subscription; instants are monotonic seconds."""

    binding: PointBinding
    due_at: float = 0.0
    heard_at: float = 0.0
    process: int | None = None
    notified: int = 0
    silent_lives: int = 0
    check: RangeCheck = field(init=False)

    def __post_init__(self) -> None:
        self.check = RangeCheck((self.binding,))


class Subscriptions:
    """The points of a device that are told on change."""

    def __init__(
        self,
        talk: Conversation,
        bindings: Sequence[PointBinding],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` gives monotonic seconds."""
        self._talk = talk
        self._clock = clock
        self._watches = [_Watch(b) for b in bindings if source_of(b).cov and source_of(b).property == PRESENT]
        slowest = max((w.binding.interval_s for w in self._watches), default=0.0)
        self.lifetime_s = max(LIFETIME_S, 4 * slowest)  # there is a turn before half of it is over
        self.push: Push | None = None
        self.renewed_after_silence = 0
        self._is_paused = False

    @property
    def notified(self) -> int:
        """Notifications since the start."""
        return sum(w.notified for w in self._watches)

    @property
    def active(self) -> int:
        """Points that are subscribed to."""
        return sum(w.process is not None for w in self._watches)

    async def keep(self) -> None:
        """Subscribe and renew what is due, a few at a time; a device that refuses is left to polling.

        A request that brings no answer is tried again later: reading shows whether the device is there.
        """
        if self.push is None or self._is_paused:
            return
        now = self._clock()
        for watch in [w for w in self._watches if w.due_at <= now][:MOST_A_TURN]:
            try:
                await self._renew(watch, now)
            except (DeviceAway, BadFrame):
                watch.due_at = now + UNANSWERED_PAUSE_S
                return

    def pause(self) -> None:
        """The device does not answer: ask for nothing, and renew all once it is back."""
        self._is_paused = True

    def resume(self) -> None:
        """The device answers. After a pause all is renewed at the next turn: a restart makes it forget."""
        if self._is_paused:
            self._is_paused = False
            for watch in self._watches:
                watch.due_at = 0.0 if watch.process is not None else watch.due_at

    async def stop(self) -> None:
        """Tell the device that nothing more need be told; controllers hold few subscriptions."""
        for watch in self._watches:
            await self._drop(watch)

    def forget(self) -> None:
        """Subscribe anew at the next turn, after the connection was closed."""
        for watch in self._watches:
            watch.process, watch.due_at = None, 0.0

    async def _renew(self, watch: _Watch, now: float) -> None:
        if watch.process is not None and now - watch.heard_at > self.lifetime_s:
            await self._drop(watch)
            if self._is_given_up(watch, now):
                return
        shared = self._talk.shared
        if watch.process is None and shared is not None:
            watch.process = shared.subscribe(lambda apdu: self._told(watch, apdu))
            watch.heard_at = now
        try:
            await self._talk.send(self._request(watch, lifetime=True))
        except (DeviceRefused, NotSupported) as cause:
            log.info(
                "device tells no changes of a point",
                extra={"action": "cov_refused", "point": "/".join(watch.binding.key), "why": cause.message},
            )
            self._release(watch)
            watch.due_at = now + REFUSED_PAUSE_S
            return
        watch.due_at = now + self.lifetime_s / 2

    def _is_given_up(self, watch: _Watch, now: float) -> bool:
        """Count a life without a word; after some the point is only polled for a while."""
        self.renewed_after_silence += 1
        watch.silent_lives += 1
        told = {"action": "cov_silent", "point": "/".join(watch.binding.key)}
        if watch.silent_lives < SILENT_LIVES:
            log.info("subscription fell silent", extra=told)
            return False
        log.warning("device accepts subscriptions and tells nothing", extra=told)
        watch.silent_lives, watch.due_at = 0, now + REFUSED_PAUSE_S
        return True

    async def _drop(self, watch: _Watch) -> None:
        if watch.process is None:
            return
        try:
            await self._talk.send(self._request(watch, lifetime=False))
        except (DeviceAway, DeviceRefused, NotSupported, BadFrame):
            pass  # it ends by itself
        finally:
            self._release(watch)

    def _release(self, watch: _Watch) -> None:
        if watch.process is not None and self._talk.shared is not None:
            self._talk.shared.unsubscribe(watch.process)
        watch.process = None

    def _request(self, watch: _Watch, *, lifetime: bool) -> SubscribeCOVRequest:
        named: dict[str, Any] = {}
        if lifetime:
            named = {"issueConfirmedNotifications": True, "lifetime": int(self.lifetime_s)}
        return SubscribeCOVRequest(
            subscriberProcessIdentifier=watch.process,
            monitoredObjectIdentifier=identifier_of(watch.binding),
            **named,
        )

    def _told(self, watch: _Watch, apdu: Any) -> None:  # noqa: ANN401  a notification
        if str(apdu.monitoredObjectIdentifier) != str(identifier_of(watch.binding)):
            return
        watch.heard_at = self._clock()
        watch.notified += 1
        watch.silent_lives = 0
        place = place_of(watch.binding)
        found = {(*place, str(v.propertyIdentifier)): _cast(watch.binding, v) for v in apdu.listOfValues}
        if self.push is not None:
            sample = sample_of((watch.binding,), found, time.time())
            self.push((watch.binding,), watch.check.flag(sample))


def _cast(binding: PointBinding, told: Any) -> Any:  # noqa: ANN401  a BACnet value
    """A told value by its property and the object's type."""
    if str(told.propertyIdentifier) == FLAGS:
        return told.value.cast_out(StatusFlags)
    kind = source_of(binding).object_type
    if kind.startswith("analog"):
        return told.value.cast_out(Real)
    if kind.startswith("binary"):
        return told.value.cast_out(BinaryPV)
    if kind == "large-analog-value":
        return told.value.cast_out(Double)
    return told.value.cast_out(Integer if kind == "integer-value" else Unsigned)
