"""What a running collector tells of its devices, over real sockets, and how often it says so in its log."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

from energy_center.domain.supervision import Condition, DeviceReport, ErrorKind
from energy_center.store.pool import Database
from energy_center.store.supervision import read_collectors, read_device_reports
from tests.protocol.faulty_modbus import answer, faulty_device, registers
from tests.services.collectors.test_reload import apply, collecting, site_of, until_asked, until_logged


def foreign(request: bytes) -> bytes:
    """What another unit answers."""
    return answer(request, registers(request)[7:], unit=9)


async def until_told(
    database: Database, claim: Callable[[dict[str, DeviceReport]], bool]
) -> dict[str, DeviceReport]:
    async with asyncio.timeout(40):
        while not claim(told := await read_device_reports(database)):  # noqa: ASYNC110  a table
            await asyncio.sleep(0.1)
    return told


def failures(report: DeviceReport) -> dict[tuple[ErrorKind, str], int]:
    return {(e.kind, e.code): e.count for e in report.errors}


async def test_collector_tells_how_each_device_fares_by_kind_of_failure(
    database: Database, database_dsn: str, tmp_path: Path
) -> None:
    file = tmp_path / "site.yaml"
    async with (
        faulty_device() as good,
        faulty_device() as silent,
        faulty_device() as refusing,
        faulty_device() as strange,
    ):
        silent.behave = lambda _: None
        refusing.behave = lambda request: answer(request, bytes([request[7] | 0x80, 4]))
        strange.behave = foreign
        meters = {"good": good, "silent": silent, "refusing": refusing, "strange": strange}
        file.write_text(site_of({name: (device, "0.2s") for name, device in meters.items()}))
        await apply(database, file)
        async with collecting(tmp_path, database_dsn, "--site", str(file)) as process:
            await until_logged(tmp_path, "device=silent")
            os.kill(process.pid, signal.SIGHUP)  # asked to look at its site, it tells at once how it fares
            told = await until_told(
                database, lambda t: len(t) == 4 and t["silent"].condition is Condition.AWAY
            )
            (collector,) = await read_collectors(database)
    assert (told["good"].condition, told["good"].errors) == (Condition.ONLINE, ())
    assert told["good"].readings >= told["good"].samples > 0
    assert told["good"].round_trip_s is not None
    assert failures(told["silent"])[ErrorKind.TIMEOUT, ""] >= 3
    assert told["silent"].last_good_at is None
    assert failures(told["refusing"])[ErrorKind.REFUSED, "4"] >= 1
    assert told["refusing"].condition is Condition.ONLINE  # it answers, if only to refuse
    assert failures(told["strange"])[ErrorKind.WRONG_UNIT, ""] >= 1
    assert {b.connection_id for b in collector.buses} == {f"{name}-line" for name in meters}
    assert collector.spool.committed > 0
    assert (await read_collectors(database))[0].stopped  # its last word


async def test_log_says_once_that_a_device_is_away_and_once_that_it_is_back(
    database: Database, database_dsn: str, tmp_path: Path
) -> None:
    file = tmp_path / "site.yaml"
    async with faulty_device() as meter:
        file.write_text(site_of({"meter": (meter, "0.2s")}))
        await apply(database, file)
        async with collecting(tmp_path, database_dsn, "--site", str(file)) as process:
            await until_asked(meter, 5)
            meter.behave = foreign  # an answer that is none, told sooner than silence
            await until_logged(tmp_path, "device_away")
            os.kill(process.pid, signal.SIGHUP)  # the same site again changes nothing
            await until_logged(tmp_path, "reload_same")
            meter.behave = registers
            await until_logged(tmp_path, "device_back")
            file.write_text(site_of({"meter": (meter, "0.3s")}))
            os.kill(process.pid, signal.SIGHUP)  # its connection is made anew, which is no coming back
            await until_logged(tmp_path, "changed=meter-line")
            await until_asked(meter, 10)
    log = (tmp_path / "log").read_text()
    assert (log.count("device_away"), log.count("device_back")) == (1, 1)
