"""`intervals` and `demand` on a file: every event named, the energy right, assumptions told, tables clean."""

import csv
import io
import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from energy_center.cli import main

START = datetime(2026, 3, 1)  # noqa: DTZ001 as a meter writes it
COUNT = 20 * 96  # quarter-hours
STEP = 25.0  # kWh each: 100 kW


@pytest.fixture
def register(tmp_path: Path) -> Path:
    """20 days of 100 kW, one hour of 200 kW, with a rollover, a glitch, a reset, an exchange and a gap."""
    level, lines = 998_000.0, ["時間;示數(kWh)"]
    for i in range(COUNT + 1):
        if i:
            level += 2 * STEP if 400 < i <= 404 else STEP
        level %= 1_000_000
        level = {800: 0.0, 1200: 54_321.0}.get(i, level)
        shown = 3.0 if i == 300 else level
        if not 1500 <= i < 1508:
            lines.append(f"{START + timedelta(minutes=15 * i):%d/%m/%Y %H:%M};{shown:.1f}".replace(".", ","))
    file = tmp_path / "register.csv"
    file.write_text("\n".join(lines))
    return file


def test_every_event_is_named_and_the_energy_is_right(register: Path, capsys):
    assert main(["intervals", "--csv", str(register), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(e["kind"], e["at"]) for e in found["events"]] == [
        ("rollover", "2026-03-01 20:00+08:00"),
        ("glitch", "2026-03-04 03:00+08:00"),
        ("reset", "2026-03-09 08:00+08:00"),
        ("exchange", "2026-03-13 12:00+08:00"),
    ]
    assert found["gaps"] == [{"after": "2026-03-16 14:45+08:00", "until": "2026-03-16 17:00+08:00"}]
    assert found["total"] == pytest.approx(
        (COUNT + 4 - 2) * STEP
    )  # the reset's and the exchange's step are lost
    known = [i["amount"] for i in found["intervals"] if i["amount"] is not None]
    assert min(known) >= 0
    assert max(known) == pytest.approx(2 * STEP)
    assert any("day/month/year" in a["text"] for a in found["assumptions"])


def test_a_recorded_exchange_gives_its_energy_back(register: Path, capsys):
    change = "2026-03-13T11:55=9991.6:54312.7"  # 16.6 on the old meter, 8.3 on the new one
    assert main(["intervals", "--csv", str(register), "--format", "json", "--exchange", change]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["total"] == pytest.approx((COUNT + 4 - 1) * STEP, abs=0.2)


def test_the_csv_is_clean_and_adds_up(register: Path, capsys):
    assert main(["intervals", "--csv", str(register), "--format", "csv", "--by", "hour"]) == 0
    told = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(told.out)))
    assert sum(float(row["kWh"]) for row in rows) == pytest.approx((COUNT + 2) * STEP)
    assert {row["coverage"] for row in rows} >= {"1.0000", "0.0000"}
    assert "Dates are day/month/year: line 1154 has 13/03/2026." in told.err


def test_the_text_names_events_gaps_and_partial_days(register: Path, capsys):
    assert main(["intervals", "--csv", str(register)]) == 0
    text = capsys.readouterr().out
    assert "2026-03-09 08:00+08:00  reset: 18,075 -> 0" in text
    assert "gap until 2026-03-16 17:00+08:00" in text
    assert "2026-03-02 00:00+08:00  2,400.000  100.0%\n" in text
    assert text.count("partial") == 3


def test_the_maximum_demand_and_its_time(register: Path, capsys):
    assert main(["demand", "--csv", str(register), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["maximum"] == {
        "demand_kw": 200.0,
        "start": "2026-03-05 04:00+08:00",
        "end": "2026-03-05 04:15+08:00",
    }
    assert found["partial_blocks"] == 2 + 9
    assert main(["demand", "--csv", str(register)]) == 0
    assert "maximum 15-min block: 200.00 kW from 2026-03-05 04:00+08:00" in capsys.readouterr().out


def test_running_demand_of_minute_values_is_higher_than_any_block(tmp_path: Path, capsys):
    rows = [
        f"{START + timedelta(minutes=i):%Y-%m-%d %H:%M},{600 if 20 <= i < 35 else 60}" for i in range(120)
    ]
    file = tmp_path / "kw.csv"
    file.write_text("time,kW\n" + "\n".join(rows))
    assert main(["demand", "--csv", str(file), "--format", "json", "--stamp", "start"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["maximum"]["demand_kw"] == pytest.approx((600 * 10 + 60 * 5) / 15)
    assert found["running_maximum"]["demand_kw"] == pytest.approx(600)
    assert found["running_maximum"]["start"] == "2026-03-01 00:20+08:00"


def test_hourly_values_have_no_quarter_hour_demand(tmp_path: Path, capsys):
    file = tmp_path / "hourly.csv"
    file.write_text("time,kWh\n2026-03-01 00:00,5\n2026-03-01 01:00,4\n2026-03-01 02:00,6\n")
    assert main(["demand", "--csv", str(file)]) == 2
    assert "--block 60 gives what can" in capsys.readouterr().err
    assert main(["demand", "--csv", str(file), "--block", "60", "--stamp", "start"]) == 0
    assert "6.00 kW from 2026-03-01 02:00+08:00" in capsys.readouterr().out


def test_bad_lines_are_named_and_change_the_exit_code(tmp_path: Path, capsys):
    file = tmp_path / "bad.csv"
    file.write_text(
        "time,kWh\n2026-03-01 00:00,5\n2026-03-01 00:15,five\n2026-03-01 00:30,6\n2026-03-01 00:45,4\n"
    )
    assert main(["intervals", "--csv", str(file), "--format", "csv"]) == 1
    assert f"{file}:3: kWh 'five'; expected a number" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--exchange", "yesterday"], "expected TIME=LAST:FIRST"),
        (["--column", "value"], "expected NAME=TEXT"),
        (["--zone", "Mars/Olympus"], "not a time zone"),
    ],
)
def test_wrong_options_are_explained(register: Path, capsys, words: list[str], says: str):
    assert main(["intervals", "--csv", str(register), *words]) == 2
    assert says in capsys.readouterr().err
