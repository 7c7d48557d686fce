"""BACnet/IP: the driver that reads a device's values, takes its notifications and writes by priority.

Source: ASHRAE 135-2020, 15.5 (ReadProperty), 15.7 (ReadPropertyMultiple), 15.9 (WriteProperty), 19.2.
"""

import asyncio
import contextlib
import math
import time
from collections.abc import Sequence
from typing import Any

from bacpypes3.basetypes import ErrorType
from bacpypes3.primitivedata import Null, ObjectIdentifier

from collectors.driver import BusContext, Push, ReadBack, Sample
from collectors.drivers.bacnet_client import Conversation, SharedApplication
from collectors.drivers.bacnet_cov import Subscriptions
from collectors.drivers.bacnet_values import (
    FLAGS,
    PRESENT,
    Place,
    encoded,
    identifier_of,
    place_of,
    properties_of,
    raw_of,
    sample_of,
    slot_number,
    stored,
)
from collectors.drivers.bacnet_wire import Found, parameters_of
from collectors.plan_objects import (
    OBJECTS_A_REQUEST,
    ObjectBlock,
    most_objects,
    objects_within,
    plan_objects,
    source_of,
)
from energy_center.config.bindings import BacnetIp, Device, PointBinding
from energy_center.errors import BadFrame, DeviceAway, DeviceRefused, NotSupported

__all__ = ["OBJECTS_A_REQUEST", "BacnetDriver", "ObjectBlock", "SharedApplication"]

_RPM_BIT = 14  # of protocol-services-supported, 21 (BACnetServicesSupported)

_FAREWELL_S = 0.5
LEARN_EVERY_S = 3600.0


class BacnetDriver:
    """One BACnet device: values and status flags, many objects a request."""

    def __init__(self, context: BusContext) -> None:
        """Prepare; `open` joins the process's application."""
        if not isinstance(context.connection.target, BacnetIp):
            raise TypeError(f"{context.connection.connection_id} is not BACnet/IP")
        self._target = context.connection.target
        self._talk = Conversation(self._target)
        self._without_flags: set[Place] = set()
        self.reads_multiple = True
        self.is_known = False
        self._learn_again_at = math.inf
        self.objects_a_request = most_objects(self._target)
        self.missing: set[Place] = set()
        self.cov = Subscriptions(self._talk, context.bindings)

    @property
    def is_open(self) -> bool:
        """Whether requests can be sent; UDP knows no connection."""
        return self._talk.shared is not None

    @property
    def time_limit_s(self) -> float:
        """Longest that one request may take."""
        return self._target.timeout_s

    def push_to(self, push: Push) -> None:
        """Subscribe to the points that the profile marks, and hand on what is told."""
        self.cov.push = push

    def plan(self, devices: Sequence[Device], bindings: Sequence[PointBinding]) -> list[ObjectBlock]:  # noqa: ARG002  a connection is one device
        """Requests of as many objects as one answer holds."""
        return plan_objects(bindings, most_objects(self._target))

    async def open(self) -> None:
        """Join the application of our address towards the device."""
        await self._talk.open()

    async def read(self, block: ObjectBlock) -> Sample:
        """Values of a block; the time of the sample is the arrival of the last reply."""
        try:
            if not self.is_known or time.monotonic() >= self._learn_again_at:
                await self._learn()
            await self.cov.keep()  # before the read: nothing that was read may wait for it, or be lost by it
            found = await self._found(block.bindings)
        except DeviceAway:
            self.cov.pause()
            raise
        self.cov.resume()
        at = time.time()
        for binding in block.bindings:
            place = place_of(binding)
            if isinstance(found.get((*place, FLAGS)), ErrorType):
                self._without_flags.add(place)
            raw = raw_of(source_of(binding), found)
            if raw is None or isinstance(raw, ErrorType):
                self.missing.add(place)
        return sample_of(block.bindings, found, at)

    def split(self, block: ObjectBlock) -> list[ObjectBlock]:
        """Two halves, for a device that refuses a whole request."""
        middle = len(block.bindings) // 2
        parts = (block.bindings[:middle], block.bindings[middle:]) if middle else ()
        return [ObjectBlock(block.device_id, block.interval_s, part) for part in parts]

    async def write(self, binding: PointBinding, wanted: float | None, priority: int) -> None:
        """Command the present value at a priority; None hands it back."""
        raw = Null(()) if wanted is None else encoded(binding, wanted)
        await self._talk.ask("write_property", identifier_of(binding), PRESENT, raw, priority=priority)

    async def read_back(self, binding: PointBinding, priority: int) -> ReadBack:
        """The present value, and our slot of the priority array where the object has one."""
        identifier = identifier_of(binding)
        present = stored(binding, await self._talk.ask("read_property", identifier, PRESENT))
        try:
            slot = await self._talk.ask("read_property", identifier, "priority-array", array_index=priority)
        except (DeviceRefused, NotSupported, BadFrame):
            return ReadBack(present, None, has_slots=False)
        return ReadBack(present, slot_number(binding, slot), has_slots=True)

    async def close(self) -> None:
        """End the subscriptions as far as time allows, and leave the application."""
        if self.is_open:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_FAREWELL_S):
                    await self.cov.stop()
        self.cov.forget()
        self._talk.close()

    async def _learn(self) -> None:
        """Ask the device what it can: the longest answer without segments, and ReadPropertyMultiple.

        Once an hour anew: what it could not bear for a while it may bear again.
        """
        device = ObjectIdentifier(f"device,{self._target.device}")
        longest = await self._asked(device, "max-apdu-length-accepted")
        services = await self._asked(device, "protocol-services-supported")
        self.objects_a_request = most_objects(self._target)
        if longest is not None:
            self.objects_a_request = min(self.objects_a_request, objects_within(int(longest)))
        self.reads_multiple = True
        if services is not None and len(services) > _RPM_BIT:
            self.reads_multiple = bool(services[_RPM_BIT])
        self.is_known, self._learn_again_at = True, time.monotonic() + LEARN_EVERY_S

    async def _asked(self, identifier: ObjectIdentifier, name: str) -> Any:  # noqa: ANN401  any property
        try:
            return await self._talk.ask("read_property", identifier, name)
        except (DeviceRefused, NotSupported, BadFrame):
            return None  # the defaults stand until the device refuses

    async def _found(self, bindings: tuple[PointBinding, ...]) -> Found:
        """Read in requests as long as the device bears; one that is too long is halved for good."""
        found: Found = {}
        waiting = list(bindings)
        while waiting:
            some = tuple(waiting[: self.objects_a_request])
            if not self.reads_multiple:
                found |= await self._read_one_by_one(some)
            else:
                try:
                    found |= await self._read_multiple(some)
                except NotSupported as cause:
                    self._bear_with(cause, len(some))
                    continue
            del waiting[: len(some)]
        return found

    def _bear_with(self, cause: NotSupported, objects: int) -> None:
        """Ask for less from now on; raises what no smaller request would cure."""
        if cause.facts.get("too_long") and objects > 1:
            self.objects_a_request = max(1, objects // 2)
        elif cause.facts.get("too_long") or cause.facts.get("service"):
            self.reads_multiple = False
        else:
            raise cause

    async def _read_multiple(self, bindings: tuple[PointBinding, ...]) -> Found:
        wanted = [(*place_of(binding), self._properties(binding)) for binding in bindings]
        return await self._talk.read_multiple(parameters_of(wanted))

    async def _read_one_by_one(self, bindings: tuple[PointBinding, ...]) -> Found:
        found: Found = {}
        for binding in bindings:
            for name in self._properties(binding):
                try:
                    raw = await self._talk.ask("read_property", identifier_of(binding), name)
                except (DeviceRefused, NotSupported):
                    raw = ErrorType(errorClass="object", errorCode="unknownObject")
                found[(*place_of(binding), name)] = raw
        return found

    def _properties(self, binding: PointBinding) -> tuple[str, ...]:
        return properties_of(source_of(binding), has_flags=place_of(binding) not in self._without_flags)
