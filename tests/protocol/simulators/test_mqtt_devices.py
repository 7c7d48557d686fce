"""Simulated MQTT devices, heard by a paho subscriber: retained JSON states with a time stamp."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

Inbox = asyncio.Queue[mqtt.MQTTMessage]


@pytest.fixture
async def inbox(simulation) -> AsyncIterator[Inbox]:
    queue: Inbox = asyncio.Queue()
    loop = asyncio.get_running_loop()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.on_connect = lambda *_: client.subscribe("#", qos=1)
    client.on_message = lambda _, __, message: loop.call_soon_threadsafe(queue.put_nowait, message)
    client.connect("127.0.0.1", simulation.ports["broker"])
    client.loop_start()
    yield queue
    client.disconnect()
    await asyncio.to_thread(client.loop_stop)


async def message_on(inbox: Inbox, topic: str, *, retained: bool | None = None) -> mqtt.MQTTMessage:
    async with asyncio.timeout(10):
        while True:
            message = await inbox.get()
            if message.topic == topic and retained in (None, message.retain):
                return message


async def test_a_late_subscriber_gets_the_retained_state_with_its_time(inbox: Inbox) -> None:
    await asyncio.sleep(1.0)  # every device has spoken within the first second
    message = await message_on(inbox, "ltb/weather/state", retained=True)
    content = json.loads(message.payload)
    assert message.qos == 1
    assert content["air"]["temperature_c"] == 31.25
    assert datetime.now(UTC) - datetime.fromisoformat(content["ts"]) < timedelta(seconds=30)


async def test_the_rain_tank_tells_litres_and_states(simulation, inbox: Inbox) -> None:
    simulation.world.override("ym-rain-tank", "tank_inlet_volume", 12.345)
    simulation.world.override("ym-rain-tank", "mains_valve", 1.0)
    message = await message_on(inbox, "ym/rain-tank/state", retained=False)
    content = json.loads(message.payload)
    assert content["inlet_l"] == 12345
    assert content["mains_valve"] == 1


async def test_gateways_say_that_they_are_online(inbox: Inbox) -> None:
    message = await message_on(inbox, "ym/gateway/status", retained=True)
    assert message.payload == b"online"


async def test_a_message_counts_once_for_each_of_its_points(simulation, inbox: Inbox) -> None:
    await message_on(inbox, "ltb/weather/state", retained=False)
    await asyncio.sleep(0.1)
    before = await simulation.ask(do="served")
    await message_on(inbox, "ltb/weather/state", retained=False)
    await asyncio.sleep(0.1)
    after = await simulation.ask(do="served")
    for signal in ("outdoor_air_temperature", "rain_rate", "wind_gust"):
        assert after["served"][f"weather/{signal}"] == before["served"][f"weather/{signal}"] + 1


async def test_a_muted_device_publishes_nothing(simulation, inbox: Inbox) -> None:
    await simulation.ask(do="mute", equipment="weather", on=True)
    await asyncio.sleep(0.1)
    before = await simulation.served("weather/rain_rate")
    await message_on(inbox, "ym/rain-tank/state", retained=False)
    await message_on(inbox, "ym/rain-tank/state", retained=False)
    assert await simulation.served("weather/rain_rate") == before
    await simulation.ask(do="mute", equipment="weather", on=False)
