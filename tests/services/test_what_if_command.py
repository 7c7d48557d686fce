"""`energy-center what-if` of exports and of a building, the API and the page."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest

from dashboards.pages.bills import draw
from dashboards.request import PageRequest
from energy_center.cli import main
from energy_center.domain.people import User, UserRole
from energy_center.store.pool import Database
from tests.services.city_hall import NOW
from tests.services.test_bills import metered

LogIn = Callable[[UserRole], Awaitable[httpx.AsyncClient]]


def export(path: Path, kwh: float) -> Path:
    """July by the quarter-hour, the same energy in each."""
    rows = [
        f"2026-07-{day:02d} {minute // 60:02d}:{minute % 60:02d},{kwh}"
        for day in range(1, 32)
        for minute in range(0, 1440, 15)
    ]
    path.write_text("\n".join(["time,kWh", *rows]), encoding="utf-8")
    return path


def test_a_battery_and_photovoltaics_of_exports(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    meter, roof = export(tmp_path / "meter.csv", 100), export(tmp_path / "roof.csv", 10)
    how = ["--quantity", "energy", "--stamp", "start", "--plan", "taipower-hv-tou3", "--contract", "600"]
    words = ["what-if", "--csv", str(meter), *how, "--month", "2026-07"]
    added = ["--pv-kwp", "50", "--pv-csv", str(roof), "--pv-csv-kwp", "100", "--pv-cost", "60000"]
    battery = ["--battery-kwh", "400", "--battery-kw", "100"]
    assert main([*words, *added, *battery, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["generated_kwh"] == pytest.approx(5 * 31 * 96)
    assert float(found["saving"]) > 60_000
    assert found["payback_years"] is None  # the battery's cost was not named
    assert main([*words, *battery, "--battery-cost", "10000"]) == 0
    told = capsys.readouterr().out
    assert "Simple pay-back, years:" in told
    assert "It knows the load of the day ahead" in told
    assert main([*words, "--pv-kwp", "5"]) == 2
    assert "needs --pv-csv" in capsys.readouterr().err


async def test_a_building_by_api_and_page(database: Database, logged_in: LogIn):
    await metered(database, 200.0)
    client = await logged_in(UserRole.VIEWER)
    asked = {"building": "hall", "month": "2026-10", "months": 1}
    answer = await client.get("/api/v1/bills/what-if", params=asked | {"battery_kwh": 400, "battery_kw": 100})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert float(found["saving"]) > 0
    assert float(found["months"][0]["before"]) - float(found["months"][0]["after"]) == float(found["saving"])
    assert found["assumptions"][0] == "battery_rule"
    answer = await client.get("/api/v1/bills/what-if", params=asked | {"pv_kwp": 10})
    assert answer.status_code == 404
    assert "no inverter with an energy register" in answer.text
    page = PageRequest(
        path="/bills",
        params={},
        query={
            "building": "hall",
            "month": "2026-10",
            "view": "what_if",
            "battery_kwh": "400",
            "battery_kw": "x",
        },
        user=User(1, "lin", "Lin", UserRole.VIEWER, "en"),
        language="en",
        theme="light",
        zone=ZoneInfo("Asia/Taipei"),
        now=NOW,
        database=database,
    )
    assert "A marked field is no number" in str((await draw(page)).to_plotly_json())
