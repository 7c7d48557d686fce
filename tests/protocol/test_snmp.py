"""The SNMP driver against a real agent over UDP: types, absent objects, tooBig, users, silence."""

import asyncio
import math
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from collectors.driver import BusContext, Sample
from collectors.drivers.snmp import SnmpDriver
from energy_center.config.bindings import (
    Connection,
    Device,
    PointBinding,
    ReadLimits,
    SnmpAgent,
    SnmpAuth,
    SnmpPrivacy,
    SnmpSource,
    SnmpType,
)
from energy_center.domain.quantities import Role
from energy_center.domain.readings import Quality
from energy_center.domain.units import Linear
from energy_center.errors import DeviceAway, NotSupported
from simulators.devices.snmp import (
    Counter32,
    Counter64,
    Gauge32,
    Integer32,
    OctetString,
    SnmpServer,
    SnmpUser,
    TimeTicks,
)

BASE = "1.3.6.1.4.1.99999.1"
USER = SnmpUser("watch", "an auth secret", "a privacy secret")
V3 = {
    "user": "watch",
    "auth": SnmpAuth.SHA256,
    "auth_password_env": "TEST_SNMP_AUTH",
    "privacy": SnmpPrivacy.AES128,
    "privacy_password_env": "TEST_SNMP_PRIVACY",
}


def point(
    arc: int,
    kind: SnmpType = SnmpType.INTEGER,
    *,
    scaling: Linear = Linear(),  # noqa: B008  frozen
    states: dict[int | str, float] | None = None,
    invalid: tuple[float, ...] = (),
) -> PointBinding:
    source = SnmpSource(f"{BASE}.{arc}", kind, states or {}, invalid)
    return PointBinding(("ups", f"p{arc}"), Role.ACTIVE_POWER, "agent", "ups", 30.0, scaling, source)


@asynccontextmanager
async def agent(objects: Mapping[str, Any], **options: Any) -> AsyncIterator[tuple[SnmpServer, int]]:
    server = SnmpServer(lambda: objects, **options)
    port = await server.start("127.0.0.1", 0)
    try:
        yield server, port
    finally:
        await server.stop()


@asynccontextmanager
async def driver(
    port: int, points: list[PointBinding], *, most: int = 20, host: str = "127.0.0.1", **options: Any
) -> AsyncIterator[SnmpDriver]:
    target = SnmpAgent(host, port, **{"timeout_s": 2.0, **options})
    device = Device("ups", "agent", limits=ReadLimits(max_oids=most))
    made = SnmpDriver(BusContext(Connection("agent", target), (device,), tuple(points), "test"))
    await made.open()
    try:
        yield made
    finally:
        await made.close()


async def read(made: SnmpDriver, points: list[PointBinding]) -> Sample:
    (block,) = made.plan([], points)
    return await made.read(block)


async def test_every_type_is_read_in_one_request() -> None:
    held = {
        f"{BASE}.1": Integer32(-7),
        f"{BASE}.2": Gauge32(4_000_000_000),
        f"{BASE}.3": Counter32(4_294_967_295),
        f"{BASE}.4": Counter64(9_007_199_254_740_992),
        f"{BASE}.5": TimeTicks(360_000),  # an hour in hundredths of a second
        f"{BASE}.6": OctetString(" 23.5 "),
        f"{BASE}.7": OctetString("Online"),
        f"{BASE}.8": Integer32(5),
    }
    points = [
        point(1, scaling=Linear(0.1)),
        point(2, SnmpType.GAUGE32),
        point(3, SnmpType.COUNTER32),
        point(4, SnmpType.COUNTER64),
        point(5, SnmpType.TIMETICKS, scaling=Linear(0.01 / 60)),  # min
        point(6, SnmpType.TEXT),
        point(7, SnmpType.TEXT, states={"Online": 1.0, "Offline": 0.0}),
        point(8, states={3: 0.0, 5: 1.0}),
    ]
    async with agent(held) as (server, port), driver(port, points) as made:
        sample = await read(made, points)
    assert sample.values.tolist() == pytest.approx(
        [-0.7, 4e9, 4_294_967_295, 9_007_199_254_740_992, 60.0, 23.5, 1.0, 1.0]
    )
    assert not sample.quality.any()
    assert server.requests == [8]


async def test_what_is_no_number_is_no_reading_and_what_means_no_value_is_a_fault() -> None:
    held = {f"{BASE}.1": OctetString("n/a"), f"{BASE}.2": Integer32(4), f"{BASE}.3": Integer32(-1)}
    points = [point(1, SnmpType.TEXT), point(2, states={3: 0.0, 5: 1.0}), point(3, invalid=(-1.0,))]
    async with agent(held) as (_, port), driver(port, points) as made:
        sample = await read(made, points)
    assert [math.isnan(v) for v in sample.values] == [True, True, False]
    assert [Quality(int(q)) for q in sample.quality] == [Quality.GOOD, Quality.GOOD, Quality.SENSOR_FAULT]


async def test_absent_object_has_no_reading_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    points = [point(1), point(2)]
    async with agent({f"{BASE}.2": Integer32(9)}) as (_, port), driver(port, points) as made:
        first, second = await read(made, points), await read(made, points)
    assert [math.isnan(first.values[0]), first.values[1], second.values[1]] == [True, 9.0, 9.0]
    told = [r for r in caplog.records if getattr(r, "action", "") == "point_not_supported"]
    assert len(told) == 1


async def test_block_of_absent_objects_alone_is_not_supported() -> None:
    async with agent({}) as (_, port), driver(port, [point(1)]) as made:
        with pytest.raises(NotSupported, match="no such object"):
            await read(made, [point(1)])


async def test_answer_that_is_too_big_is_asked_for_in_halves_from_then_on() -> None:
    points = [point(n) for n in range(1, 13)]
    held = {f"{BASE}.{n}": Integer32(n) for n in range(1, 13)}
    async with agent(held, most_objects=5) as (server, port), driver(port, points) as made:
        (block,) = made.plan([], points)
        for _ in range(2):
            assert (await made.read(block)).values.tolist() == [float(n) for n in range(1, 13)]
    assert server.requests == [12, 6, 3, 3, 3, 3, 3, 3, 3, 3]


async def test_objects_of_one_interval_lie_in_as_few_requests_as_the_agent_bears() -> None:
    points = [point(n) for n in range(1, 46)]
    async with agent({}) as (_, port), driver(port, points, most=20) as made:
        blocks = made.plan([], points[::-1])
    assert [len(b.bindings) for b in blocks] == [20, 20, 5]
    assert [b.source.oid for b in blocks[2].bindings] == [f"{BASE}.{n}" for n in range(41, 46)]


async def test_silence_is_away_within_the_time_limit_and_a_wrong_community_is_silence() -> None:
    async with (
        agent({f"{BASE}.1": Integer32(1)}, community="sesame") as (_, port),
        driver(port, [point(1)], timeout_s=0.3) as made,
    ):
        async with asyncio.timeout(5):
            with pytest.raises(DeviceAway):
                await read(made, [point(1)])


async def test_community_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_SNMP_COMMUNITY", "sesame")
    async with (
        agent({f"{BASE}.1": Integer32(1)}, community="sesame") as (_, port),
        driver(port, [point(1)], community_env="TEST_SNMP_COMMUNITY") as made,
    ):
        assert (await read(made, [point(1)])).values.tolist() == [1.0]


async def test_user_of_version_3_reads_encrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_SNMP_AUTH", USER.auth_password)
    monkeypatch.setenv("TEST_SNMP_PRIVACY", USER.privacy_password)
    async with (
        agent({f"{BASE}.1": Integer32(1)}, users=[USER]) as (_, port),
        driver(port, [point(1)], **V3) as made,
    ):
        assert (await read(made, [point(1)])).values.tolist() == [1.0]


@pytest.mark.parametrize(
    ("auth", "privacy", "user", "why"),
    [
        ("a wrong secret", USER.privacy_password, "watch", "Wrong SNMP PDU digest"),
        (USER.auth_password, USER.privacy_password, "nobody", "Unknown USM user"),
        ("tiny", USER.privacy_password, "watch", "TEST_SNMP_AUTH has fewer than 8 characters"),
        ("", USER.privacy_password, "watch", "TEST_SNMP_AUTH is not set"),
    ],
)
async def test_refused_user_is_told_by_reason_and_no_secret_is_shown(
    monkeypatch: pytest.MonkeyPatch, auth: str, privacy: str, user: str, why: str
) -> None:
    monkeypatch.setenv("TEST_SNMP_AUTH", auth)
    monkeypatch.setenv("TEST_SNMP_PRIVACY", privacy)
    async with agent({f"{BASE}.1": Integer32(1)}, users=[USER]) as (_, port):
        with pytest.raises(DeviceAway, match=why) as told:
            async with driver(port, [point(1)], **{**V3, "user": user}) as made:
                await read(made, [point(1)])
    assert not any(secret and secret in str(told.value) for secret in (auth, privacy))


async def test_two_users_of_one_name_with_other_keys_do_not_disturb_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = SnmpUser("watch", "another auth secret", "another privacy secret")
    for name, secret in (("A", USER), ("B", other)):
        monkeypatch.setenv(f"TEST_SNMP_AUTH_{name}", secret.auth_password)
        monkeypatch.setenv(f"TEST_SNMP_PRIVACY_{name}", secret.privacy_password)
    keys = [
        {**V3, "auth_password_env": f"TEST_SNMP_AUTH_{n}", "privacy_password_env": f"TEST_SNMP_PRIVACY_{n}"}
        for n in "AB"
    ]
    async with (
        agent({f"{BASE}.1": Integer32(1)}, users=[USER]) as (_, one),
        agent({f"{BASE}.1": Integer32(2)}, users=[other]) as (_, two),
        driver(one, [point(1)], **keys[0]) as first,
        driver(two, [point(1)], **keys[1]) as second,
    ):
        for _ in range(2):
            assert (await read(first, [point(1)])).values.tolist() == [1.0]
            assert (await read(second, [point(1)])).values.tolist() == [2.0]


async def test_unknown_name_is_away_and_says_so() -> None:
    with pytest.raises(DeviceAway, match="cannot be looked up"):
        async with driver(161, [point(1)], host="no-such-host.invalid"):
            pass
