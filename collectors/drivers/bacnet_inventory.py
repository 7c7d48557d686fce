"""All objects of one device with their names, units, values and states, as far as the device gives them.

A device that cannot send its object list in segments is asked for it index by index; one that bears short
answers alone is asked for less. Source: ASHRAE 135-2020, 12 (properties), 12.24 (schedules).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bacpypes3.basetypes import EngineeringUnits, ErrorType, Segmentation
from bacpypes3.primitivedata import ObjectIdentifier

from collectors.drivers.bacnet_client import Conversation
from collectors.drivers.bacnet_values import FLAGS, number_of
from collectors.drivers.bacnet_wire import OPAQUE, Found, parameters_of
from collectors.found_bacnet import FoundDevice, FoundObject
from energy_center.config.bacnet_words import FLAG_BITS
from energy_center.config.bindings import BacnetIp
from energy_center.errors import BadFrame, DeviceAway, DeviceRefused, NotSupported

_ABOUT = ("object-name", "vendor-name", "model-name", "firmware-revision", "description", "location")
_APDU = ("max-apdu-length-accepted", "segmentation-supported")
_OCTETS_AN_OBJECT = 160  # name and description of 50 characters each, value, flags, unit and all their tags
_SILENCES = 3  # in a row, until a device is given up
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_REFUSED = (DeviceRefused, NotSupported, BadFrame)

Say = Callable[[str], None]
Place = tuple[str, int]


@dataclass(slots=True)
class _Patience:
    """How often a device may keep silent."""

    silences: int = 0


class _GivenUp(Exception):
    """The device has stopped answering."""


class Inventory:
    """Reads of one device that is being described."""

    def __init__(self, device: FoundDevice, timeout_s: float, bbmd: str | None, say: Say) -> None:
        """Nothing is sent yet; `say` is told how far it is."""
        self._device = device
        self._say = say
        self._talk = Conversation(
            BacnetIp(
                device.host, device.port, device.instance, timeout_s, device.network, device.station, bbmd
            )
        )
        self._patience = _Patience()
        self._at_once = max(1, min(20, (device.max_apdu or 480) // _OCTETS_AN_OBJECT))
        self._reads_multiple = True

    async def about(self) -> FoundDevice:
        """The device with its name, maker and model."""
        await self._talk.open()
        try:
            return await self._about()
        except (_GivenUp, DeviceAway):
            return replace(self._device, incomplete="the device stopped answering")
        finally:
            self._talk.close()

    async def _about(self) -> FoundDevice:
        place = ("device", self._device.instance)
        found = await self._properties([(*place, (*_ABOUT, *_APDU))])
        name, vendor, model, firmware, description, location = (
            _text(found.get((*place, prop))) for prop in _ABOUT
        )
        apdu, segmentation = (found.get((*place, prop)) for prop in _APDU)
        longest = number_of(apdu)
        return replace(
            self._device,
            name=name,
            vendor=vendor,
            model=model,
            firmware=firmware,
            description=description,
            location=location,
            max_apdu=int(longest) if longest == longest else self._device.max_apdu,  # noqa: PLR0124  NaN
            segmentation=str(Segmentation(segmentation))
            if isinstance(segmentation, int)
            else self._device.segmentation,
        )

    async def all(self, most: int) -> FoundDevice:
        """The device with at most so many of its objects; `incomplete` says what is missing."""
        await self._talk.open()
        objects: list[FoundObject] = []
        device, missing = self._device, ""
        try:
            device = await self._about()
            places, count = await self._object_list(most)
            if count > len(places):
                missing = f"{len(places)} of {count} objects"
            for at in range(0, len(places), 50):
                objects += await self._described(places[at : at + 50])
                self._say(f"device {device.instance}: {len(objects)} of {len(places)} objects")
        except (_GivenUp, DeviceAway):
            missing = f"the device stopped answering after {len(objects)} objects"
        finally:
            self._talk.close()
        return replace(device, objects=tuple(objects), incomplete=missing)

    async def _object_list(self, most: int) -> tuple[list[Place], int]:
        """The objects besides the device itself, and how many there are."""
        identifier = ObjectIdentifier(f"device,{self._device.instance}")
        try:
            listed = list(await self._ask("read_property", identifier, "object-list"))
        except _REFUSED:
            listed = await self._list_by_index(identifier, most)
            count = int(await self._ask("read_property", identifier, "object-list", array_index=0)) - 1
        else:
            count = sum(str(o[0]) != "device" for o in listed)
        places = [(str(o[0]), int(o[1])) for o in listed if str(o[0]) != "device"]
        return places[:most], count

    async def _list_by_index(self, identifier: ObjectIdentifier, most: int) -> list[Any]:
        count = int(await self._ask("read_property", identifier, "object-list", array_index=0))
        self._say(f"device {self._device.instance}: its list of {count} objects is read one by one")
        listed = []
        for index in range(1, min(count, most + 1) + 1):
            try:
                listed.append(await self._ask("read_property", identifier, "object-list", array_index=index))
            except _REFUSED:
                continue  # an object that was deleted meanwhile
            if index % 100 == 0:
                self._say(f"device {self._device.instance}: {index} of {count} names of objects")
        return listed

    async def _described(self, places: Sequence[Place]) -> list[FoundObject]:
        found = await self._properties([(*place, _properties_of(place[0])) for place in places])
        return [await self._object(place, found) for place in places]

    async def _object(self, place: Place, found: Found) -> FoundObject:
        def of(name: str) -> Any:  # noqa: ANN401  any property
            return found.get((*place, name))

        kind, unit, flags = place[0], of("units"), of(FLAGS)
        return FoundObject(
            *place,
            name=_text(of("object-name")),
            description=_text(of("description")),
            unit=str(EngineeringUnits(unit)) if isinstance(unit, int) else "",
            value=_value(of("present-value")),
            flags=tuple(w for w, bit in zip(FLAG_BITS, flags, strict=False) if bit)
            if isinstance(flags, list)
            else (),
            states=await self._states(place, found),
            weekly=await self._weekly(place) if kind == "schedule" else (),
        )

    async def _states(self, place: Place, found: Found) -> tuple[str, ...]:
        if place[0].startswith("binary"):
            texts = tuple(_text(found.get((*place, f"{word}-text"))) for word in ("inactive", "active"))
            return texts if any(texts) else ()
        if not place[0].startswith("multi-state"):
            return ()
        return tuple(str(text) for text in await self._list(place, "state-text"))

    async def _weekly(self, place: Place) -> tuple[str, ...]:
        lines = []
        for day, daily in zip(_DAYS, await self._list(place, "weekly-schedule"), strict=False):
            entries = getattr(daily, "daySchedule", None) or ()
            said = " ".join(f"{str(e.time)[:5]}={_scheduled(e.value)}" for e in entries)
            lines.append(f"{day} {said or '-'}")
        return tuple(lines)

    async def _list(self, place: Place, name: str) -> list[Any]:
        """A property that is a list; empty where the device has none."""
        identifier = ObjectIdentifier(f"{place[0]},{place[1]}")
        try:
            return list(await self._ask("read_property", identifier, name))
        except (*_REFUSED, TypeError):
            return []

    async def _properties(self, wanted: list[tuple[str, int, tuple[str, ...]]]) -> Found:
        """Many properties in as few requests as the device bears."""
        found: Found = {}
        waiting = list(wanted)
        while waiting:
            some = waiting[: self._at_once]
            if self._reads_multiple:
                try:
                    found |= await self._patient(partial(self._talk.read_multiple, parameters_of(some)))
                except (NotSupported, BadFrame, DeviceRefused) as cause:
                    self._bear_with(cause, len(some))
                    continue
            else:
                for one in some:
                    found |= await self._one_by_one(one)
            del waiting[: len(some)]
        return found

    def _bear_with(self, cause: Exception, objects: int) -> None:
        too_long = isinstance(cause, NotSupported) and not cause.facts.get("service")
        if too_long and objects > 1:
            self._at_once = max(1, objects // 2)
        else:
            self._reads_multiple = False

    async def _one_by_one(self, wanted: tuple[str, int, tuple[str, ...]]) -> Found:
        kind, instance, names = wanted
        found: Found = {}
        for name in names:
            try:
                raw = await self._ask("read_property", ObjectIdentifier(f"{kind},{instance}"), name)
            except _REFUSED:
                continue
            found[kind, instance, name] = list(raw) if name == FLAGS else _bare(raw)
        return found

    async def _ask(self, service: str, *arguments: object, **named: object) -> Any:  # noqa: ANN401
        return await self._patient(partial(self._talk.ask, service, *arguments, **named))

    async def _patient(self, asking: Callable[[], Any]) -> Any:  # noqa: ANN401
        """Ask again after a silence; after several in a row the device is given up."""
        while True:
            try:
                answer = await asking()
            except DeviceAway as cause:
                self._patience.silences += 1
                if self._patience.silences >= _SILENCES:
                    raise _GivenUp from cause
                continue
            self._patience.silences = 0
            return answer


def _properties_of(kind: str) -> tuple[str, ...]:
    named = ("object-name", "description")
    if kind.startswith("binary"):
        return (*named, "present-value", FLAGS, "inactive-text", "active-text")
    if kind.startswith("multi-state") or kind in ("schedule", "loop", "characterstring-value"):
        return (*named, "present-value", FLAGS)
    if kind.startswith(("analog", "integer", "large", "positive")) or kind == "accumulator":
        return (*named, "present-value", FLAGS, "units")
    return named


def _bare(raw: Any) -> Any:  # noqa: ANN401
    """A library's value as our own decoder would read it."""
    if isinstance(raw, str):
        return str(raw)
    number = number_of(raw)
    if number != number:  # noqa: PLR0124  NaN
        return OPAQUE
    return int(number) if isinstance(raw, int) else number


def _text(raw: Any) -> str:  # noqa: ANN401
    return raw if isinstance(raw, str) else ""


def _value(raw: Any) -> float | str | None:  # noqa: ANN401
    if isinstance(raw, ErrorType) or raw is None or raw is OPAQUE:
        return None
    if isinstance(raw, str):
        return raw
    number = number_of(raw)
    return None if number != number else number  # noqa: PLR0124  NaN


def _scheduled(raw: Any) -> str:  # noqa: ANN401  a value of any type
    value = raw.get_value() if hasattr(raw, "get_value") else raw
    number = number_of(value)
    return str(value) if number != number else f"{number:g}"  # noqa: PLR0124  NaN
