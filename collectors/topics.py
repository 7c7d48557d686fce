"""What each topic of a broker means: readings, presence, Sparkplug B; and which filters bring them."""

import logging
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from collectors.driver import BusContext, MalformedNotice, Message, Notice, Sample, StatusNotice
from collectors.payload import TopicMapping, is_trusted, number_of, source_of, status_of
from collectors.sparkplug import NAMESPACE, EdgeNode, Kind, Metrics, rebirth_request
from energy_center.config.bindings import Device, PayloadForm, PointBinding, StatusTopic
from energy_center.domain.readings import Quality
from energy_center.errors import BadFrame

log = logging.getLogger(__name__)

SESSION_EXPIRY_S = 7 * 86_400
_TELL_AGAIN_S = 600.0
_EXCERPT = 80
_SUSPECT = int(Quality.CLOCK_SUSPECT)
_Bindings = tuple[PointBinding, ...]


@dataclass(slots=True)
class MessageCounts:
    """Of one broker since the start; `samples` are the last malformed messages, shortened."""

    received: int = 0
    malformed: int = 0
    unexpected: int = 0
    wrong_clock: int = 0
    samples: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=5))


@dataclass(slots=True)
class Brought:
    """What one message brought; `replies` are topics and payloads to publish."""

    messages: list[Message] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    replies: list[tuple[str, bytes]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Topic:
    bindings: _Bindings
    device_ids: tuple[str, ...]
    mapping: TopicMapping


class Topics:
    """All topics of one broker's devices."""

    def __init__(self, context: BusContext) -> None:
        """Sort the points by topic, or by edge node for Sparkplug B."""
        self.counts = MessageCounts()
        self._told_at: dict[tuple[str, str], float] = {}
        by_topic: dict[str, list[PointBinding]] = {}
        sparkplug: dict[str, list[PointBinding]] = {}
        for binding in context.bindings:
            source = source_of(binding)
            into = sparkplug if source.form is PayloadForm.SPARKPLUG_B else by_topic
            into.setdefault(source.topic, []).append(binding)
        self._plain = {topic: _topic(found) for topic, found in by_topic.items()}
        self._statuses = _statuses(context.devices)
        self._sparkplug = {topic: tuple(found) for topic, found in sparkplug.items()}
        self._nodes = {"/".join(topic.split("/")[:2]): EdgeNode() for topic in sparkplug}

    def filters(self, share: str | None) -> list[str]:
        """What to subscribe to. Presence and births are told to every collector of a sharing group."""
        prefix = f"$share/{share}/" if share else ""
        nodes = [tuple(node.split("/")) for node in self._nodes]
        return [
            *(f"{prefix}{topic}" for topic in self._plain if topic not in self._statuses),
            *self._statuses,
            *(f"{NAMESPACE}/{group}/+/{node}/#" for group, node in nodes),
        ]

    def is_status(self, topic: str) -> bool:
        """Whether a filter brings the presence of devices."""
        return topic in self._statuses

    def births_wanted(self, now: float) -> list[tuple[str, bytes]]:
        """Rebirth requests to every edge node: a host that has just come knows no aliases."""
        return [(_command_topic(node), rebirth_request(now)) for node in self._nodes]

    def take(self, topic: str, payload: bytes, received_at: float, oldest_trusted: float | None) -> Brought:
        """What a message says; nothing that it may hold raises."""
        self.counts.received += 1
        brought = Brought()
        known = self._plain.get(topic)
        statuses = self._statuses.get(topic, ())
        if topic.startswith(f"{NAMESPACE}/"):
            self._take_sparkplug(topic, payload, received_at, oldest_trusted, brought)
        elif known is None and not statuses:
            self.counts.unexpected += 1
        for device_id, status in statuses:
            self._take_status(device_id, status, payload, brought, is_alone=known is None)
        if known is not None:
            try:
                sample = known.mapping.sample(payload, received_at, oldest_trusted)
            except BadFrame as cause:
                self._malformed(known.device_ids, topic, payload, cause, brought)
            else:
                self._note_clock(topic, sample)
                brought.messages.append(Message(known.device_ids, known.bindings, sample, _nothing))
        return brought

    def _take_status(
        self, device_id: str, status: StatusTopic, payload: bytes, brought: Brought, *, is_alone: bool
    ) -> None:
        online = status_of(payload, status)
        if online is not None:
            detail = "" if online else "it, or its last will, says that it is away"
            brought.notices.append(StatusNotice(device_id, online, detail))
        elif is_alone:
            cause = BadFrame(f"Neither {status.online} nor {status.offline}")
            self._malformed((device_id,), status.topic, payload, cause, brought)

    def _take_sparkplug(
        self, topic: str, payload: bytes, received_at: float, oldest: float | None, brought: Brought
    ) -> None:
        parts = topic.split("/")
        device = parts[4] if len(parts) == 5 else None  # noqa: PLR2004  namespace, group, kind, node, device
        name = f"{parts[1]}/{parts[3]}" if len(parts) in (4, 5) else ""
        node = self._nodes.get(name)
        if node is None or parts[2] not in set(Kind):
            return  # commands, which are for the nodes, or a node that is not of this site
        try:
            heard = node.take(Kind(parts[2]), device, payload, time.monotonic())
        except BadFrame as cause:
            self._malformed(self._ids_of(name, device), topic, payload, cause, brought)
            return
        for of, online in heard.online.items():
            detail = "" if online else "its death certificate came"
            brought.notices += [StatusNotice(d, online, detail) for d in self._ids_of(name, of)]
        for metrics in heard.metrics:
            self._map(name, metrics, received_at, oldest, brought)
        if heard.ask_rebirth:
            log.info("edge node asked for its births", extra={"action": "sparkplug_rebirth", "node": name})
            brought.replies.append((_command_topic(name), rebirth_request(received_at)))

    def _ids_of(self, node: str, device: str | None) -> tuple[str, ...]:
        bindings = self._sparkplug.get(node if device is None else f"{node}/{device}", ())
        return tuple({b.device_id: None for b in bindings})

    def _map(
        self, node: str, metrics: Metrics, received_at: float, oldest: float | None, brought: Brought
    ) -> None:
        topic = node if metrics.device is None else f"{node}/{metrics.device}"
        found = tuple(b for b in self._sparkplug.get(topic, ()) if source_of(b).path[0] in metrics.values)
        if not found:
            return
        values = np.array([number_of(metrics.values[source_of(b).path[0]], b) for b in found])
        if not np.isfinite(values).any():
            return
        if metrics.historical and oldest is None:  # kept by the node while it had no connection
            oldest = received_at - SESSION_EXPIRY_S
        own = metrics.at
        trusted = own is not None and is_trusted(own, received_at, oldest)
        flag = Quality.GOOD if trusted else Quality.CLOCK_SUSPECT
        at = own if trusted and own is not None else received_at
        sample = Sample(at, values, np.full(len(found), int(flag), dtype=np.int16))
        self._note_clock(topic, sample)
        brought.messages.append(Message(tuple({b.device_id: None for b in found}), found, sample, _nothing))

    def _malformed(
        self, device_ids: tuple[str, ...], topic: str, payload: bytes, cause: BadFrame, brought: Brought
    ) -> None:
        excerpt = payload[:_EXCERPT].decode("utf-8", "replace")
        self.counts.malformed += 1
        self.counts.samples.append((topic, excerpt))
        brought.notices.append(MalformedNotice(device_ids, topic, excerpt, cause.message))
        self._tell("malformed message", topic, str(cause))

    def _note_clock(self, topic: str, sample: Sample) -> None:
        if int(sample.quality[0]) & _SUSPECT:
            self.counts.wrong_clock += 1
            self._tell("stamp not trusted", topic, "its own time is missing or far from ours")

    def _tell(self, what: str, topic: str, why: str) -> None:
        now = time.monotonic()
        if now - self._told_at.get((what, topic), -_TELL_AGAIN_S) >= _TELL_AGAIN_S:
            self._told_at[what, topic] = now
            action = "mqtt_" + what.replace(" ", "_")
            log.warning("message in doubt", extra={"action": action, "topic": topic, "why": why})


def _topic(found: Sequence[PointBinding]) -> _Topic:
    return _Topic(tuple(found), tuple({b.device_id: None for b in found}), TopicMapping(found))


def _statuses(devices: Sequence[Device]) -> Mapping[str, list[tuple[str, StatusTopic]]]:
    found: dict[str, list[tuple[str, StatusTopic]]] = {}
    for device in devices:
        if device.status is not None:
            found.setdefault(device.status.topic, []).append((device.device_id, device.status))
    return found


def _command_topic(node: str) -> str:
    group, name = node.split("/")
    return f"{NAMESPACE}/{group}/NCMD/{name}"


def _nothing() -> None:
    """A message is acknowledged by the session that received it."""
