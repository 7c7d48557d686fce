"""MQTT: a persistent session with one broker; a message is acknowledged only once it is safe on disk.

MQTT 5 where the broker speaks it, else 3.1.1. The client library runs its own thread; everything it says is
handed to the event loop, as much at a time as has come.
"""

import asyncio
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from collectors.driver import BusContext, Message, Notice, ignore_notice
from collectors.payload import TRUSTED_S
from collectors.topics import SESSION_EXPIRY_S, MessageCounts, Topics
from energy_center.config.bindings import MqttBroker
from energy_center.errors import DeviceAway

log = logging.getLogger(__name__)

CONNECT_S = 3.0  # shorter than a stop may take, since the library connects in a thread
KEEPALIVE_S = 30
NOT_STORED_S = 30.0  # behind a message that was not stored no other is acknowledged: begin anew
KEPT_FOR_S = 60.0  # after a resumed session the broker first sends what it kept
# a broker sends at most so many before the first is acknowledged, which takes a commit of the spool
RECEIVE_MAXIMUM = 10_000
HANDED_OVER = 500  # messages taken in one turn of the event loop, so that polls beside them stay punctual
# MQTT 5.0, 3.2.2.2: bad user name or password, not authorized, banned, bad authentication method
NOT_ADMITTED = frozenset({0x86, 0x87, 0x8A, 0x8C})


class MqttDriver:
    """The subscription of one broker's topics."""

    def __init__(self, context: BusContext) -> None:
        """Prepare; `run` connects."""
        if not isinstance(context.connection.target, MqttBroker):
            raise TypeError(f"{context.connection.connection_id} is not MQTT")
        self.topics = Topics(context)
        self._target = context.connection.target
        # a broker lets a name connect once: each connection needs its own
        self._client_id = f"{context.client_name}-{context.connection.connection_id}"
        self._filters = self.topics.filters(self._target.share)
        self._speaks: MQTTProtocolVersion | None = None

    @property
    def counts(self) -> MessageCounts:
        """Messages since the start."""
        return self.topics.counts

    async def run(
        self,
        deliver: Callable[[Message], None],
        connected: Callable[[], None],
        notice: Callable[[Notice], None] = ignore_notice,
    ) -> None:
        """Deliver messages until cancelled; raises DeviceAway when the connection is lost or never made."""
        tried = [MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311]
        where = f"{self._target.host}:{self._target.port}"
        why = ""
        for version in [self._speaks] if self._speaks else tried:
            session = _Session(self, version, deliver, connected, notice)
            try:
                await session.hold()
            except DeviceAway as cause:
                why = str(cause.facts.get("why", cause.message))
                if session.was_connected:
                    self._speaks = version
                    raise
                if session.is_not_admitted:  # an older protocol will not change that
                    who = self._target.username or "nobody"
                    raise DeviceAway(
                        "The broker does not admit us", broker=where, username=who, why=why
                    ) from cause
        self._speaks = None
        raise DeviceAway("The broker cannot be reached", broker=where, why=why)

    def client(self, version: MQTTProtocolVersion) -> paho.Client:
        """A new library client; raises DeviceAway when its certificates or its password cannot be read."""
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            protocol=version,
            reconnect_on_failure=False,
            manual_ack=True,
            clean_session=None if version is MQTTProtocolVersion.MQTTv5 else False,
        )
        target = self._target
        if target.username is not None:
            client.username_pw_set(target.username, _password(target.password_env))
        if target.tls:
            try:
                client.tls_set(target.ca_file, target.certificate, target.key)
            except (OSError, ValueError) as cause:  # ssl.SSLError is an OSError
                raise DeviceAway("The certificates cannot be used", why=str(cause)) from cause
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
        """Subscribe to every topic of the site; a retained message is wanted only the first time.

        The presence of a device is wanted every time: it may have gone while we were away.
        """
        if version is not MQTTProtocolVersion.MQTTv5:
            client.subscribe([(topic, 1) for topic in self._filters])
            return
        first = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
        always = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_ON_SUBSCRIBE)
        client.subscribe([(f, always if self.topics.is_status(f) else first) for f in self._filters])


@dataclass(slots=True, eq=False)
class _Owed:
    """A message that the broker waits to see acknowledged; `since` in seconds of the monotonic clock."""

    mid: int
    since: float
    is_safe: bool = False


class _Session:
    """One connection to the broker, from connect to loss. `_on_…` run in the library's thread."""

    def __init__(
        self,
        driver: MqttDriver,
        version: MQTTProtocolVersion,
        deliver: Callable[[Message], None],
        connected: Callable[[], None],
        notice: Callable[[Notice], None],
    ) -> None:
        self.was_connected = False
        self.is_not_admitted = False
        self._driver = driver
        self._version = version
        self._deliver = deliver
        self._connected = connected
        self._notice = notice
        self._loop = asyncio.get_running_loop()
        self._answered: asyncio.Future[bool] = self._loop.create_future()
        self._lost: asyncio.Future[str] = self._loop.create_future()
        self._resumed_at: float | None = None
        self._refusal = ""
        self._arrived: deque[tuple[paho.MQTTMessage, float]] = deque()
        self._owed: deque[_Owed] = deque()
        self._is_called = False
        self._calling = threading.Lock()
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
                raise DeviceAway("The broker refuses the connection", why=self._refusal)
            self.was_connected = True
            self._connected()
            self._publish(self._driver.topics.births_wanted(time.time()))
            why = await self._lost
            raise DeviceAway("The connection to the broker was lost", why=why)
        finally:
            await self._end()

    async def _end(self) -> None:
        # all three: without a cycle between us and the client, its sockets close as soon as we are forgotten
        self._client.on_connect = None
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
            self._refusal = str(reason)
            self.is_not_admitted = reason.value in NOT_ADMITTED
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
        self._arrived.append((message, time.time()))
        with self._calling:
            if self._is_called:
                return
            self._is_called = True
        self._loop.call_soon_threadsafe(self._take_arrived)

    def _take_arrived(self) -> None:
        """Take what has come. One wake-up for many messages: a wake-up each was half of all the time."""
        for _ in range(HANDED_OVER):
            if not self._arrived:
                break
            self._take_safely(*self._arrived.popleft())
        with self._calling:
            self._is_called = bool(self._arrived)
        if self._is_called:
            self._loop.call_soon(self._take_arrived)

    def _take_safely(self, message: paho.MQTTMessage, received_at: float) -> None:
        """A bug that one message brings out must not end the others, nor bring it again for ever."""
        owed = _Owed(message.mid, time.monotonic())
        if message.qos:
            self._owed.append(owed)
        try:
            self._received(message, received_at, owed)
        except Exception:  # the outer loop of a message
            log.exception("message failed", extra={"action": "message_failed", "topic": message.topic})
            self._acknowledge(owed)

    def _received(self, message: paho.MQTTMessage, received_at: float, owed: _Owed) -> None:
        oldest = None
        if self._resumed_at is not None and received_at - self._resumed_at < KEPT_FOR_S:
            oldest = self._resumed_at - SESSION_EXPIRY_S
        brought = self._driver.topics.take(message.topic, bytes(message.payload), received_at, oldest)
        kept = [m for m in brought.messages if not message.retain or _is_fresh(m.sample.at, received_at)]
        acknowledge = partial(self._acknowledge, owed)
        stored = acknowledge if len(kept) == 1 else _after(len(kept), acknowledge)
        for found in kept:
            self._deliver(Message(found.device_ids, found.bindings, found.sample, stored, bool(message.qos)))
        if not kept:
            acknowledge()
        for notice in brought.notices:
            self._notice(notice)
        self._publish(brought.replies)

    def _publish(self, replies: list[tuple[str, bytes]]) -> None:
        for topic, payload in replies:
            self._client.publish(topic, payload)

    def _acknowledge(self, owed: "_Owed") -> None:
        """Acknowledge in the order of receipt (MQTT 5.0, 4.6): out of order, some brokers hang up."""
        owed.is_safe = True
        while self._owed and self._owed[0].is_safe:
            first = self._owed.popleft()
            if self._client.ack(first.mid, 1) != MQTTErrorCode.MQTT_ERR_SUCCESS:
                log.debug("acknowledgement not sent: the broker will send the message again")
        if self._owed and time.monotonic() - self._owed[0].since > NOT_STORED_S:
            self._say(self._lost, "a message could not be stored: the broker is to send it again")


def _password(name: str | None) -> str | None:
    if name is None:
        return None
    found = os.environ.get(name)
    if not found:
        raise DeviceAway("A secret is missing", why=f"the environment variable {name} is not set")
    return found


def _after(calls: int, then: Callable[[], None]) -> Callable[[], None]:
    """A function that calls `then` at its last of so many calls."""
    left = calls

    def stored() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            then()

    return stored


def _is_fresh(at: float, received_at: float) -> bool:
    """Whether a retained message is recent by its own stamp; without one it may be of any age."""
    return at != received_at and received_at - at <= TRUSTED_S
