"""The SNMP driver and the UPS profile against net-snmp's agent, which knows nothing of our library."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from collectors.driver import BusContext, Sample
from collectors.drivers.snmp import SnmpDriver
from collectors.supervisor import contexts_of
from energy_center.config.load_site import load_site
from energy_center.errors import DeviceAway
from tests.protocol.udp_port import free_udp_port

SETTINGS = """\
agentAddress udp:127.0.0.1:{port}
rocommunity public 127.0.0.1
createUser watch SHA-256 "an auth secret" AES "a privacy secret"
rouser watch priv
override 1.3.6.1.2.1.33.1.2.3.0 integer 47
override 1.3.6.1.2.1.33.1.2.4.0 integer 98
override 1.3.6.1.2.1.33.1.2.5.0 integer 2184
override 1.3.6.1.2.1.33.1.2.7.0 integer 27
override 1.3.6.1.2.1.33.1.3.3.1.2.1 integer 599
override 1.3.6.1.2.1.33.1.3.3.1.3.1 integer 221
override 1.3.6.1.2.1.33.1.4.1.0 integer 5
override 1.3.6.1.2.1.33.1.4.4.1.4.1 integer 2630
"""
SITE = """\
site: {{id: town, name: Town}}
spaces: [{{id: hall, kind: building, name: Hall}}]
connections:
  - {{id: ups, snmp: {{host: 127.0.0.1, port: {port}, timeout: 2s{extra}}}}}
equipment:
  - {{id: ups-1, name: UPS, space: hall, connection: ups, profile: ups_rfc1628}}
"""
V3 = (
    ", user: watch, auth: sha256, auth_password_env: TEST_SNMP_AUTH, privacy: aes128, "
    "privacy_password_env: TEST_SNMP_PRIVACY"
)


@asynccontextmanager
async def snmpd(folder: Path, port: int) -> AsyncIterator[None]:
    program = shutil.which("snmpd") or shutil.which("snmpd", path="/usr/sbin")
    if program is None:
        why = "snmpd is not installed: apt-get install snmpd"
        (pytest.fail if os.geteuid() == 0 else pytest.skip)(f"{why} (2026-11-24)")
    settings = folder / "snmpd.conf"
    settings.write_text(SETTINGS.format(port=port))
    log = folder / "snmpd.log"
    with log.open("ab") as said:
        running = await asyncio.create_subprocess_exec(
            *(program, "-f", "-Lo", "-C", "-c", str(settings), "-I", "override,usmConf"),
            stdout=said,
            stderr=said,
            env={"SNMP_PERSISTENT_DIR": str(folder / "state"), "MIBS": ""},
        )
    try:
        yield
    finally:
        assert running.returncode is None, log.read_text()
        running.terminate()
        await running.wait()


@asynccontextmanager
async def driver(folder: Path, port: int, extra: str = "") -> AsyncIterator[tuple[SnmpDriver, BusContext]]:
    (folder / "site.yaml").write_text(SITE.format(port=port, extra=extra))
    (context,) = contexts_of(load_site(folder / "site.yaml"), "test")
    made = SnmpDriver(context)
    await made.open()
    try:
        yield made, context
    finally:
        await made.close()


async def read(made: SnmpDriver, context: BusContext) -> dict[str, float]:
    (block,) = made.plan(context.devices, context.bindings)
    async with asyncio.timeout(20):
        while True:
            try:
                sample: Sample = await made.read(block)
            except DeviceAway as away:
                if "Wrong" in str(away):
                    raise
                await asyncio.sleep(0.1)  # the agent is starting
            else:
                return {b.key[1]: float(v) for b, v in zip(block.bindings, sample.values, strict=True)}


@pytest.mark.parametrize("extra", ["", V3], ids=["2c", "3"])
async def test_ups_is_read_by_its_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extra: str
) -> None:
    monkeypatch.setenv("TEST_SNMP_AUTH", "an auth secret")
    monkeypatch.setenv("TEST_SNMP_PRIVACY", "a privacy secret")
    port = free_udp_port()
    async with snmpd(tmp_path, port), driver(tmp_path, port, extra) as (made, context):
        found = await read(made, context)
    present = {name: value for name, value in found.items() if value == value}  # noqa: PLR0124  not NaN
    assert present == pytest.approx(
        {
            "battery_charge": 98,
            "runtime_remaining": 47,
            "battery_voltage": 218.4,
            "battery_temperature": 27,
            "input_frequency": 59.9,
            "input_voltage": 221,
            "on_battery": 1,
            "active_power": 2.63,
        }
    )
    assert len(made.missing) == 4  # the agent lacks them; the others go on


async def test_agent_that_restarts_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_SNMP_AUTH", "an auth secret")
    monkeypatch.setenv("TEST_SNMP_PRIVACY", "a privacy secret")
    port = free_udp_port()
    async with driver(tmp_path, port, V3) as (made, context):
        for _ in range(2):
            async with snmpd(tmp_path, port):
                assert (await read(made, context))["battery_charge"] == 98
