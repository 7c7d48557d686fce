"""Change of value: who subscribed to which object, and the notifications they get.

Source: ASHRAE 135-2020, 13.1 and 13.14 (SubscribeCOV). Values come from the world when asked for, so they are
compared a few times a second; only objects with a subscription are looked at.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from bacpypes3.apdu import (
    AbortPDU,
    ConfirmedCOVNotificationRequest,
    ErrorRejectAbortNack,
    SimpleAckPDU,
    UnconfirmedCOVNotificationRequest,
)
from bacpypes3.basetypes import PropertyValue, StatusFlags
from bacpypes3.constructeddata import Any as AnyValue
from bacpypes3.errors import ExecutionError

LOOK_EVERY_S = 0.2
MOST_SUBSCRIPTIONS = 200  # of one controller, as small ones have
_NOTIFY_LIMIT_S = 3.0
_DEAF_S = 10.0  # a subscriber that does not confirm is told nothing for so long, lest others wait for it


@dataclass(slots=True)
class _Subscription:
    subscriber: Any
    process: int
    target: Any
    is_confirmed: bool
    ends_at: float | None  # monotonic seconds, None for one without end
    told: float | None = None


class CovServices:
    """Subscriptions of one controller; the application it is mixed into sends and answers."""

    def __init__(self) -> None:
        self._subscriptions: dict[tuple[str, int, str], _Subscription] = {}
        self._deaf_until: dict[str, float] = {}
        self._looking: asyncio.Task[None] | None = None

    async def do_SubscribeCOVRequest(self, apdu: Any) -> None:  # noqa: ANN401, N802  name given by bacpypes3
        """Subscribe, renew or (without lifetime and kind) cancel."""
        key = (
            str(apdu.pduSource),
            int(apdu.subscriberProcessIdentifier),
            str(apdu.monitoredObjectIdentifier),
        )
        if apdu.issueConfirmedNotifications is None and apdu.lifetime is None:
            self._subscriptions.pop(key, None)
        else:
            self._subscribe(key, apdu)
        await self.response(SimpleAckPDU(context=apdu))  # type: ignore[attr-defined]

    def _subscribe(self, key: tuple[str, int, str], apdu: Any) -> None:  # noqa: ANN401
        target = self.get_object_id(apdu.monitoredObjectIdentifier)  # type: ignore[attr-defined]
        if target is None:
            raise ExecutionError(errorClass="object", errorCode="unknownObject")
        if not hasattr(target, "offers_cov") or not target.offers_cov():
            raise ExecutionError(errorClass="object", errorCode="optionalFunctionalityNotSupported")
        if key not in self._subscriptions and len(self._subscriptions) >= MOST_SUBSCRIPTIONS:
            raise ExecutionError(errorClass="resources", errorCode="noSpaceToAddListElement")
        lifetime = int(apdu.lifetime or 0)
        self._subscriptions[key] = _Subscription(
            apdu.pduSource,
            key[1],
            target,
            bool(apdu.issueConfirmedNotifications),
            time.monotonic() + lifetime if lifetime else None,
        )
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())

    def stop_cov(self) -> None:
        """Forget all subscriptions, as a controller does that restarts."""
        self._subscriptions.clear()
        if self._looking is not None:
            self._looking.cancel()

    async def _look(self) -> None:
        while self._subscriptions:
            now = time.monotonic()
            for key, held in list(self._subscriptions.items()):
                if held.ends_at is not None and now >= held.ends_at:
                    del self._subscriptions[key]
                elif now >= self._deaf_until.get(key[0], 0.0) and held.target.reads() != held.told:
                    await self._notify(held, now)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _notify(self, held: _Subscription, now: float) -> None:
        """Tell the present value and flags; a confirmed one that nobody confirms is told again later.

        It counts as served when it is confirmed.
        """
        try:
            present, reads = held.target.present(), held.target.reads()
        except ExecutionError:
            return  # the point has no reading
        kind = ConfirmedCOVNotificationRequest if held.is_confirmed else UnconfirmedCOVNotificationRequest
        request = kind(
            destination=held.subscriber,
            subscriberProcessIdentifier=held.process,
            initiatingDeviceIdentifier=self.device_object.objectIdentifier,  # type: ignore[attr-defined]
            monitoredObjectIdentifier=held.target.objectIdentifier,
            timeRemaining=0 if held.ends_at is None else max(1, int(held.ends_at - now)),
            listOfValues=[
                PropertyValue(propertyIdentifier="present-value", value=AnyValue(present)),
                PropertyValue(propertyIdentifier="status-flags", value=AnyValue(StatusFlags([0, 0, 0, 0]))),
            ],
        )
        answer = self.request(request)  # type: ignore[attr-defined]
        if not held.is_confirmed:
            held.told = reads
            held.target.was_served()
            return
        try:
            async with asyncio.timeout(_NOTIFY_LIMIT_S):
                await answer
        except (TimeoutError, AbortPDU):
            self._deaf_until[str(held.subscriber)] = time.monotonic() + _DEAF_S
            return
        except ErrorRejectAbortNack:  # it is there, and wants to hear no more of this one
            held.told = reads
            return
        held.told = reads
        held.target.was_served()
