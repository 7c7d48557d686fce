import json
from pathlib import Path

import pytest

from collectors.driver import BusContext, MalformedNotice, StatusNotice
from collectors.payload import sample_of, status_of
from collectors.sparkplug import PAYLOAD, EdgeNode, Kind, rebirth_request
from collectors.topics import Brought, Topics
from energy_center.config.bindings import (
    Connection,
    Device,
    MqttBroker,
    MqttSource,
    PayloadForm,
    PointBinding,
    StatusTopic,
)
from energy_center.config.load_site import load_site
from energy_center.domain.quantities import Role
from energy_center.domain.units import Linear
from energy_center.errors import BadFrame

NOW = 1_795_500_000.0
HEAD = "site: {id: town, name: Town}\nspaces: [{id: hall, kind: building, name: Hall}]\n"


def point(source: MqttSource, role: Role = Role.ACTIVE_POWER, device: str = "d") -> PointBinding:
    return PointBinding((device, role.value), role, "broker", device, 60.0, Linear(), source)


def topics_of(tmp_path: Path, *equipment: str, broker: str = "host: h") -> Topics:
    lines = "\n".join(f"  - {{connection: b, space: hall, name: X, {line}}}" for line in equipment)
    file = tmp_path / "site.yaml"
    file.write_text(f"{HEAD}connections: [{{id: b, mqtt: {{{broker}}}}}]\nequipment:\n{lines}\n")
    plant = load_site(file)
    return Topics(BusContext(plant.connections[0], plant.devices, plant.bindings, "test"))


def readings(brought: Brought) -> dict[str, float]:
    return {
        b.role.value: float(v)
        for m in brought.messages
        for b, v in zip(m.bindings, m.sample.values, strict=True)
    }


@pytest.mark.parametrize(
    ("source", "payload", "number"),
    [
        (MqttSource("t", (), form=PayloadForm.PLAIN), b" 23.5\n", 23.5),
        (MqttSource("t", (), form=PayloadForm.PLAIN, states={"ON": 1, "OFF": 0}), b"OFF", 0),
        (MqttSource("t", ("2",), form=PayloadForm.CSV, separator=";"), b"a; 4.25 ;9", 4.25),
        (MqttSource("t", ("a", "b"), states={"true": 0, "false": 1}), b'{"a":{"b":true}}', 0),
        (MqttSource("t", ("s",), states={"open": 2}), b'{"s":"open"}', 2),
        (MqttSource("t", ("s",), states={3: 7}), b'{"s":3}', 7),
        (MqttSource("t", ()), b"17", 17),
    ],
)
def test_value_is_found_in_every_form(source: MqttSource, payload: bytes, number: float) -> None:
    assert sample_of(payload, [point(source)], NOW).values.tolist() == [number]


def test_csv_column_is_the_messages_own_time() -> None:
    source = MqttSource("t", ("2",), ("1",), form=PayloadForm.CSV)
    sample = sample_of(f"{NOW - 5},7".encode(), [point(source)], NOW)
    assert (sample.at, sample.values.tolist()) == (NOW - 5, [7.0])


@pytest.mark.parametrize("payload", [b"", b"jam", b"\xff"])
def test_unknown_word_is_a_bad_frame(payload: bytes) -> None:
    with pytest.raises(BadFrame):
        sample_of(payload, [point(MqttSource("t", (), form=PayloadForm.PLAIN))], NOW)


@pytest.mark.parametrize(
    ("path", "payload", "says"),
    [((), b"on", True), ((), b"off", False), (("s",), b'{"s":"off"}', False), ((), b"?", None)],
)
def test_status_message(path: tuple[str, ...], payload: bytes, says: bool | None) -> None:
    assert status_of(payload, StatusTopic("t", "on", "off", path)) is says


def test_tasmota_preset(tmp_path: Path) -> None:
    topics = topics_of(tmp_path, "id: plug, topic: plug_1, profile: tasmota_energy")
    assert set(topics.filters("g")) == {"$share/g/tele/plug_1/SENSOR", "tele/plug_1/LWT"}
    # the example of Tasmota's documentation, "Energy"
    energy = {"TotalStartTime": "2018-12-12T15:39:12", "Total": 0.002, "Power": 1500, "Factor": 0.97}
    said = topics.take(
        "tele/plug_1/SENSOR",
        json.dumps({"Time": "2018-12-12T15:39:12", "ENERGY": energy}).encode(),
        NOW,
        None,
    )
    found = readings(said)
    assert (found["active_power"], found["energy_import"], found["power_factor"]) == (1.5, 0.002, 0.97)
    (notice,) = topics.take("tele/plug_1/LWT", b"Offline", NOW, None).notices
    assert isinstance(notice, StatusNotice)
    assert (notice.device_id, notice.online) == ("plug", False)


def test_shelly_presets(tmp_path: Path) -> None:
    topics = topics_of(
        tmp_path,
        "id: one, topic: shellyem-1, profile: shelly_gen1_em",
        "id: two, topic: pro3em-2, profile: shelly_gen2_em",
    )
    said = topics.take("shellies/shellyem-1/emeter/0/total", b"12500.0", NOW, None)
    assert readings(said) == {"energy_import": 12.5}
    said = topics.take("pro3em-2/status/em:0", b'{"id":0,"total_act_power":2413.8,"a_freq":60}', NOW, None)
    assert readings(said)["active_power"] == pytest.approx(2.4138)
    (notice,) = topics.take("pro3em-2/online", b"false", NOW, None).notices
    assert notice == StatusNotice("two", online=False, detail="it, or its last will, says that it is away")


def test_zigbee2mqtt_preset(tmp_path: Path) -> None:
    topics = topics_of(tmp_path, "id: leak, topic: Cellar, profile: zigbee2mqtt_leak")
    assert readings(topics.take("zigbee2mqtt/Cellar", b'{"water_leak":true}', NOW, None)) == {
        "leak_status": 1
    }
    (notice,) = topics.take("zigbee2mqtt/Cellar/availability", b'{"state":"online"}', NOW, None).notices
    assert notice == StatusNotice("leak", online=True)


def test_brokers_own_status_pattern_serves_profiles_without_one(tmp_path: Path) -> None:
    topics = topics_of(
        tmp_path,
        "id: sky, topic: town/sky, profile: weather_station",
        broker='host: h, status_topic: {topic: "{topic}/lwt", online: up, offline: down}',
    )
    (notice,) = topics.take("town/sky/lwt", b"down", NOW, None).notices
    assert notice == StatusNotice("sky", online=False, detail="it, or its last will, says that it is away")


def test_malformed_is_counted_and_sampled_and_raises_nothing(tmp_path: Path) -> None:
    topics = topics_of(tmp_path, "id: sky, topic: sky, profile: weather_station")
    (notice,) = topics.take("sky/state", b"\xff{", NOW, None).notices
    assert isinstance(notice, MalformedNotice)
    assert notice.device_ids == ("sky",)
    assert (topics.counts.malformed, len(topics.counts.samples)) == (1, 1)


def born(bd_seq: int = 1) -> bytes:
    message = PAYLOAD(timestamp=round(NOW * 1000), seq=0)
    message.metrics.add(name="bdSeq", datatype=8, long_value=bd_seq)
    return bytes(message.SerializeToString())


def device_birth(seq: int = 1) -> bytes:
    message = PAYLOAD(timestamp=round(NOW * 1000), seq=seq)
    message.metrics.add(name="Power/Active Total", alias=5, datatype=3, int_value=2**32 - 4)
    message.metrics.add(name="Frequency", alias=6, datatype=9, float_value=60.0)
    return bytes(message.SerializeToString())


def by_alias(seq: int, watts: int, at: float = NOW, *, historical: bool = False) -> bytes:
    message = PAYLOAD(timestamp=round(at * 1000), seq=seq)
    message.metrics.add(alias=5, int_value=watts % 2**32, is_historical=historical)
    return bytes(message.SerializeToString())


def test_bytes_of_the_schema_are_read_as_the_standard_writes_them() -> None:
    # timestamp=1 (field 1 varint), one metric {name "a", datatype 9, float 1.5}, seq=0 (field 3), by hand
    message = PAYLOAD()
    message.ParseFromString(b"\x08\x01\x12\x0a\x0a\x01a\x20\x09\x65\x00\x00\xc0\x3f\x18\x00")
    assert (message.timestamp, message.metrics[0].name, message.metrics[0].float_value) == (1, "a", 1.5)
    assert (message.HasField("seq"), message.seq) == (True, 0)


def test_sparkplug_alias_and_sign_come_from_the_birth(tmp_path: Path) -> None:
    topics = topics_of(tmp_path, "id: m, topic: g/n/d, profile: sparkplug_meter")
    assert topics.filters("share") == ["spBv1.0/g/+/n/#"]
    topics.take("spBv1.0/g/NBIRTH/n", born(), NOW, None)
    birth = topics.take("spBv1.0/g/DBIRTH/n/d", device_birth(), NOW, None)
    assert readings(birth) == {"active_power": -4.0, "frequency": 60.0}
    assert birth.notices == [StatusNotice("m", online=True)]
    said = topics.take("spBv1.0/g/DDATA/n/d", by_alias(2, -7), NOW, None)
    assert readings(said) == {"active_power": -7.0}
    old = topics.take("spBv1.0/g/DDATA/n/d", by_alias(3, 9, NOW - 3600, historical=True), NOW, None)
    assert old.messages[0].sample.at == NOW - 3600
    assert topics.take("spBv1.0/g/NCMD/n", rebirth_request(NOW), NOW, None) == Brought()
    death = topics.take("spBv1.0/g/NDEATH/n", born(), NOW, None)
    assert death.notices == [StatusNotice("m", online=False, detail="its death certificate came")]


def test_gap_asks_for_a_rebirth_once_and_reads_no_alias_until_it_comes() -> None:
    node = EdgeNode()
    assert node.take(Kind.DEVICE_DATA, "d", by_alias(9, 1), 0.0).ask_rebirth
    assert not node.take(Kind.DEVICE_DATA, "d", by_alias(10, 1), 1.0).ask_rebirth
    assert node.take(Kind.DEVICE_DATA, "d", by_alias(11, 1), 31.0).ask_rebirth
    node.take(Kind.NODE_BIRTH, None, born(), 32.0)
    node.take(Kind.DEVICE_BIRTH, "d", device_birth(), 32.0)
    gap = node.take(Kind.DEVICE_DATA, "d", by_alias(3, 1), 33.0)
    assert (gap.ask_rebirth, gap.metrics) == (True, [])


def test_will_of_an_earlier_session_does_not_end_this_one() -> None:
    node = EdgeNode()
    node.take(Kind.NODE_BIRTH, None, born(2), 0.0)
    assert node.take(Kind.NODE_DEATH, None, born(1), 1.0).online == {}
    assert node.take(Kind.NODE_DEATH, None, born(2), 1.0).online == {None: False}


def test_garbage_of_an_edge_node_is_malformed() -> None:
    source = MqttSource("g/n", ("m",), form=PayloadForm.SPARKPLUG_B)
    context = BusContext(Connection("b", MqttBroker("h")), (Device("d", "b"),), (point(source),), "t")
    topics = Topics(context)
    topics.take("spBv1.0/g/NBIRTH/n", b"\xff\xff\xff", NOW, None)
    assert topics.counts.malformed == 1
