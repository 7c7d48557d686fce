"""MQTT: a persistent session with one broker; a message is acknowledged only once it is safe on disk.

MQTT 5 where the broker speaks it, else 3.1.1. The client library runs its own thread; everything it says is
handed to the event loop.
"""

import asyncio
import logging
import os
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from collectors.driver import BusContext, Message
from collectors.payload import TRUSTED_S, sample_of, source_of
from energy_center.config.bindings import MqttBroker, PointBinding
from energy_center.domain.readings import Quality
from energy_center.errors import BadFrame, DeviceAway

log = logging.getLogger(__name__)

SESSION_EXPIRY_S = 7 * 86_400
CONNECT_S = 3.0  # shorter than a stop may take, since the library connects in a thread
KEEPALIVE_S = 30
KEPT_FOR_S = 60.0  # after a resumed session the broker first sends what it kept
RECEIVE_MAXIMUM = 1_000
_TELL_AGAIN_S = 600.0


@dataclass(slots=True)
class MessageCounts:
    """Of one broker since the start; `samples` are the last malformed messages, shortened."""

    received: int = 0
    malformed: int = 0
    unexpected: int = 0
    wrong_clock: int = 0
    samples: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=5))


class MqttDriver:
    """The subscription of one broker's topics."""

    def __init__(self, context: BusContext) -> None:
        """Prepare; `run` connects."""
        if not isinstance(context.connection.target, MqttBroker):
            raise TypeError(f"{context.connection.connection_id} is not MQTT")
        self.counts = MessageCounts()
        self._target = context.connection.target
        # a broker lets a name connect once: each connection needs its own
        self._client_id = f"{context.client_name}-{context.connection.connection_id}"
        self._topics: dict[str, list[PointBinding]] = {}
        for binding in context.bindings:
            self._topics.setdefault(source_of(binding).topic, []).append(binding)
        self._bindings = {topic: tuple(found) for topic, found in self._topics.items()}
        self._speaks: MQTTProtocolVersion | None = None
        self._told_at: dict[tuple[str, str], float] = {}

    async def run(self, deliver: Callable[[Message], None], connected: Callable[[], None]) -> None:
        """Deliver messages until cancelled; raises DeviceAway when the connection is lost or never made."""
        tried = [MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311]
        for version in [self._speaks] if self._speaks else tried:
            session = _Session(self, version, deliver, connected)
            try:
                await session.hold()
            except DeviceAway:
                if session.was_connected:
                    self._speaks = version
                    raise
        self._speaks = None
        raise DeviceAway("The broker cannot be reached", why=f"{self._target.host}:{self._target.port}")

    def client(self, version: MQTTProtocolVersion) -> paho.Client:
        """A new library client for our session."""
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            protocol=version,
            reconnect_on_failure=False,
            manual_ack=True,
            clean_session=None if version is MQTTProtocolVersion.MQTTv5 else False,
        )
        if self._target.username is not None:
            password = os.environ.get(self._target.password_env or "", "")
            client.username_pw_set(self._target.username, password)
        if self._target.tls:
            client.tls_set()
        return client

    def connect(self, client: paho.Client, version: MQTTProtocolVersion) -> None:
        """Open the socket and ask for our session; blocks, so it is called in a thread."""
        client.connect_timeout = CONNECT_S
        if version is not MQTTProtocolVersion.MQTTv5:
            client.connect(self._target.host, self._target.port, KEEPALIVE_S)
            return
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_EXPIRY_S
        properties.ReceiveMaximum = RECEIVE_MAXIMUM
        client.connect(
            self._target.host, self._target.port, KEEPALIVE_S, clean_start=False, properties=properties
        )

    def subscribe(self, client: paho.Client, version: MQTTProtocolVersion) -> None:
        """Subscribe to every topic of the site; a retained message is wanted only the first time."""
        if version is MQTTProtocolVersion.MQTTv5:
            options = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
            client.subscribe([(topic, options) for topic in self._bindings])
        else:
            client.subscribe([(topic, 1) for topic in self._bindings])

    def message(
        self, topic: str, payload: bytes, received_at: float, oldest_trusted: float | None
    ) -> Message | None:
        """What a message says, or None when it says nothing of use (counted, and told now and then)."""
        self.counts.received += 1
        bindings = self._bindings.get(topic)
        if bindings is None:
            self.counts.unexpected += 1
            return None
        try:
            sample = sample_of(payload, bindings, received_at, oldest_trusted)
        except BadFrame as cause:
            self.counts.malformed += 1
            self.counts.samples.append((topic, payload[:80].decode("utf-8", "replace")))
            self._tell("malformed message", topic, str(cause))
            return None
        if sample.quality[0] & Quality.CLOCK_SUSPECT:
            self.counts.wrong_clock += 1
            self._tell("stamp not trusted", topic, "its own time is missing or far from ours")
        return Message(tuple({b.device_id: None for b in bindings}), bindings, sample, lambda: None)

    def _tell(self, what: str, topic: str, why: str) -> None:
        now = time.monotonic()
        if now - self._told_at.get((what, topic), -_TELL_AGAIN_S) >= _TELL_AGAIN_S:
            self._told_at[what, topic] = now
            action = "mqtt_" + what.replace(" ", "_")
            log.warning("message in doubt", extra={"action": action, "topic": topic, "why": why})


class _Session:
    """One connection to the broker, from connect to loss. `_on_…` run in the library's thread."""

    def __init__(
        self,
        driver: MqttDriver,
        version: MQTTProtocolVersion,
        deliver: Callable[[Message], None],
        connected: Callable[[], None],
    ) -> None:
        self.was_connected = False
        self._driver = driver
        self._version = version
        self._deliver = deliver
        self._connected = connected
        self._loop = asyncio.get_running_loop()
        self._answered: asyncio.Future[bool] = self._loop.create_future()
        self._lost: asyncio.Future[str] = self._loop.create_future()
        self._resumed_at: float | None = None
        self._client = driver.client(version)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message

    async def hold(self) -> None:
        """Stay connected; raises DeviceAway when that ends."""
        try:
            async with asyncio.timeout(CONNECT_S + 1):
                await asyncio.to_thread(self._driver.connect, self._client, self._version)
                self._client.loop_start()
                accepted = await self._answered
        except (OSError, TimeoutError, ValueError) as cause:
            await self._end()
            raise DeviceAway("The broker cannot be reached", why=str(cause) or "no answer") from cause
        except asyncio.CancelledError:
            await self._end()
            raise
        try:
            if not accepted:
                raise DeviceAway("The broker refuses the connection")
            self.was_connected = True
            self._connected()
            why = await self._lost
            raise DeviceAway("The connection to the broker was lost", why=why)
        finally:
            await self._end()

    async def _end(self) -> None:
        self._client.on_disconnect = None
        self._client.on_message = None
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    def _say(self, future: "asyncio.Future[Any]", outcome: object) -> None:
        def settle() -> None:
            if not future.done():
                future.set_result(outcome)

        self._loop.call_soon_threadsafe(settle)

    def _on_connect(
        self, client: paho.Client, _data: object, flags: paho.ConnectFlags, reason: ReasonCode, _p: object
    ) -> None:
        if reason.is_failure:
            self._say(self._answered, outcome=False)
            return
        self._resumed_at = time.time() if flags.session_present else None
        self._driver.subscribe(client, self._version)
        self._say(self._answered, outcome=True)

    def _on_disconnect(
        self, _client: paho.Client, _data: object, _flags: object, reason: ReasonCode, _p: object
    ) -> None:
        self._say(self._answered, outcome=False)
        self._say(self._lost, outcome=str(reason))

    def _on_message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        self._loop.call_soon_threadsafe(self._received, message, time.time())

    def _received(self, message: paho.MQTTMessage, received_at: float) -> None:
        acknowledge = partial(self._acknowledge, message.mid, message.qos)
        oldest = None
        if self._resumed_at is not None and received_at - self._resumed_at < KEPT_FOR_S:
            oldest = self._resumed_at - SESSION_EXPIRY_S
        found = self._driver.message(message.topic, bytes(message.payload), received_at, oldest)
        if found is None or (message.retain and not _is_fresh(found.sample.at, received_at)):
            acknowledge()
            return
        self._deliver(Message(found.device_ids, found.bindings, found.sample, acknowledge))

    def _acknowledge(self, mid: int, qos: int) -> None:
        if qos and self._client.ack(mid, qos) != MQTTErrorCode.MQTT_ERR_SUCCESS:
            log.debug("acknowledgement not sent: the broker will send the message again")


def _is_fresh(at: float, received_at: float) -> bool:
    """Whether a retained message is recent by its own stamp; without one it may be of any age."""
    return at != received_at and received_at - at <= TRUSTED_S
