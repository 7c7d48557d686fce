"""Exports as historians really write them, judged without a database: taken as told, and no further."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from energy_center.cli import main
from energy_center.errors import ConfigError, Invalid, NotFound
from energy_center.services.csv_history.history_map import HistoryMap, mapped_columns, read_history_map
from energy_center.services.csv_history.judge_history import HistoryReport, judge_file
from energy_center.services.csv_history.read_history import History, read_history

HEADER = (
    "Datetime,AHU: Supply Air Temperature,AHU: Mixed Air Temperature,"
    "AHU: Cooling Coil Valve Control Signal  ,AHU: Supply Air Fan Status,Fault Detection Ground Truth"
)
MAP = """
time: {column: Datetime, formats: ["%m/%d/%Y %H:%M"], zone: America/Chicago}
equipment:
  ahu-1: {class: Air_Handler_Unit}
columns:
  "AHU: Supply Air Temperature": {equipment: ahu-1, role: supply_air_temperature, unit: "[degF]"}
  "AHU: Mixed Air Temperature": {equipment: ahu-1, role: mixed_air_temperature, unit: "[degF]"}
  "AHU: Cooling Coil Valve Control Signal": {equipment: ahu-1, role: chilled_water_valve, unit: "1"}
  "AHU: Supply Air Fan Status": {equipment: ahu-1, role: fan_status}
truth: {column: Fault Detection Ground Truth, faulty: [1]}
"""
START = datetime(2026, 3, 10)  # noqa: DTZ001 the wall clock of the file


def _rows(first: datetime, minutes: int, cells: str) -> list[str]:
    times = (first + timedelta(minutes=i) for i in range(minutes))
    return [f"{at.month}/{at.day}/{at.year} {at.hour}:{at.minute:02d},{cells}" for at in times]


def _judged(
    folder: Path, rows: list[str], wanted: str = MAP, header: str = HEADER, **more: object
) -> HistoryReport:
    file, map_file = folder / "trend.csv", folder / "map.yaml"
    file.write_text("\n".join([header, *rows]) + "\n", encoding=str(more.get("encoding", "utf-8")))
    map_file.write_text(wanted, encoding="utf-8")
    return judge_file(file, map_file, ["ahu-valve-passes"], {})


def _history(folder: Path, text: str, wanted: str) -> tuple[History, HistoryMap]:
    file, map_file = folder / "trend.csv", folder / "map.yaml"
    file.write_bytes(text.encode())
    map_file.write_text(wanted, encoding="utf-8")
    read = read_history_map(map_file)
    return read_history(file, read, mapped_columns(read, map_file)), read


def _values(folder: Path, text: str, wanted: str) -> list[float]:
    history, _ = _history(folder, text, wanted)
    return [round(float(v), 6) for v in history.samples[1].values]  # type: ignore[index]


def _one(column: str, time: str = "{column: t, zone: Asia/Taipei}", more: str = "") -> str:
    return (
        f"time: {time}\nequipment: {{x: {{class: AHU}}}}\ncolumns:\n  v: {{equipment: x, {column}}}\n{more}"
    )


# 70 °F supply under 80 °F mixed air: 5.6 K with the valve shut
PASSING, TIGHT = "70,80,0,1,1", "80.5,80,0,1,0"


def test_a_day_with_its_fault_is_found_and_a_healthy_day_is_not(tmp_path: Path) -> None:
    rows = [*_rows(START, 300, PASSING), *_rows(START + timedelta(days=2), 300, TIGHT)]
    report = _judged(tmp_path, rows)
    assert [(str(d.on), d.finding.rule_id) for d in report.detections] == [("2026-03-10", "ahu-valve-passes")]
    assert report.score is not None
    assert (report.score.found_days, report.score.faulty_days, report.score.false_days) == (1, 1, 0)


def test_a_signal_is_read_by_its_unit_and_never_by_its_size(tmp_path: Path) -> None:
    half_open = "70,80,0.5,1,1"
    assert _judged(tmp_path, _rows(START, 200, half_open)).findings == ()
    of_hundred = MAP.replace('chilled_water_valve, unit: "1"', 'chilled_water_valve, unit: "%"')
    assert len(_judged(tmp_path, _rows(START, 200, half_open), of_hundred).findings) == 1


def test_order_and_doubles_and_a_mark_before_the_header_change_nothing(tmp_path: Path) -> None:
    rows = _rows(START, 300, PASSING)
    plain = _judged(tmp_path, rows)
    shuffled = [*rows[150:], *rows[:150], rows[7]]
    messy = _judged(tmp_path, shuffled, encoding="utf-8-sig")
    assert messy.findings == plain.findings
    assert messy.history.notes.counts["rows_doubled"] == 1
    assert messy.history.notes.counts["rows_out_of_order"] == 2


def test_a_set_point_that_is_missing_for_hours_is_unknown_and_not_the_last_one(tmp_path: Path) -> None:
    rows = [*_rows(START, 20, PASSING), *_rows(START + timedelta(minutes=20), 300, "70,,0,1,1")]
    report = _judged(tmp_path, rows)
    assert report.findings == ()
    assert report.judged[0].unknown_share > 0.8


def test_a_command_that_a_hand_overrides_is_not_what_is_done(tmp_path: Path) -> None:
    header, cells = HEADER + ",Hand,Hand Position", PASSING + ",ON,60"
    column = 'role: chilled_water_valve, unit: "1"'
    unless = MAP.replace(column, column + ", unless: {column: Hand, is: ['ON']}")
    report = _judged(tmp_path, _rows(START, 300, cells), unless, header)
    assert report.findings == ()
    percent = 'role: chilled_water_valve, unit: "%", overridden_by: Hand Position'
    report = _judged(tmp_path, _rows(START, 300, cells), MAP.replace(column, percent), header)
    assert report.findings == ()
    assert report.history.notes.counts["values_overridden"] == 300


def test_a_unit_that_is_meant_to_run_always_has_no_schedule_to_break(tmp_path: Path) -> None:
    file, map_file = tmp_path / "t.csv", tmp_path / "m.yaml"
    file.write_text("Datetime,fan,occ\n" + "\n".join(_rows(START, 300, "1,0")))
    wanted = (
        'time: {column: Datetime, formats: ["%m/%d/%Y %H:%M"], zone: Asia/Taipei}\n'
        "equipment:\n  u: {class: Air_Handler_Unit, runs_always: ALWAYS}\ncolumns:\n"
        "  fan: {equipment: u, role: fan_status}\n  occ: {equipment: u, role: schedule}\n"
    )
    found = {}
    for always in ("true", "false"):
        map_file.write_text(wanted.replace("ALWAYS", always))
        found[always] = len(judge_file(file, map_file, ["ahu-off-schedule"], {}).findings)
    assert found == {"true": 0, "false": 1}


@pytest.mark.parametrize(
    ("text", "wanted", "expected"),
    [
        (
            "t;v\n2026-01-01T00:00;21,5\n",
            _one("role: zone_temperature, unit: Cel", more="delimiter: ';'\ndecimal: ','"),
            [21.5],
        ),
        (
            't,v\n2026-01-01T00:00,"1,234.5"\n',
            _one("role: energy_import, unit: kWh", more="thousands: ','"),
            [1234.5],
        ),
        (
            "t,v\n2026-01-01T00:00,ON\n2026-01-01T00:05,OFF\n",
            _one("role: fan_status, words: {'ON': 1, 'OFF': 0}"),
            [1.0, 0.0],
        ),
        (
            "t,v\n2026-01-01T00:00,-9999\n2026-01-01T00:05,50\n",
            _one("role: zone_temperature, unit: degF", more="missing: [-9999]"),
            [10.0],
        ),
        (
            "x\n\nt,v\n2026-01-01T00:00,7\n",
            _one("role: zone_temperature, unit: Cel", more="header_line: 3"),
            [7.0],
        ),
    ],
    ids=["decimal comma", "thousands", "words", "missing", "lines before the header"],
)
def test_numbers_as_historians_write_them(
    tmp_path: Path, text: str, wanted: str, expected: list[float]
) -> None:
    assert _values(tmp_path, text, wanted) == expected


@pytest.mark.parametrize(
    ("written", "time", "expected"),
    [
        ("2026-03-10T08:00:00-05:00", "{column: t, zone: America/Chicago}", "2026-03-10T13:00"),
        ("2026-03-10 08:00", "{column: t, zone: America/Chicago}", "2026-03-10T13:00"),
        (
            "10/03/2026 08:00",
            '{column: t, zone: Asia/Taipei, formats: ["%d/%m/%Y %H:%M"]}',
            "2026-03-10T00:00",
        ),
        (
            "2026-03-10 08:00",
            "{column: t, zone: Asia/Taipei, stamp: start, interval: 15min}",
            "2026-03-10T00:15",
        ),
        (
            "2026-03-10 08:00",
            "{column: t, zone: Asia/Taipei, stamp: end, interval: 15min}",
            "2026-03-10T00:00",
        ),
    ],
)
def test_times_by_zone_format_and_stamp(tmp_path: Path, written: str, time: str, expected: str) -> None:
    history, _ = _history(tmp_path, f"t,v\n{written},7\n", _one("role: zone_temperature, unit: Cel", time))
    at = datetime.fromtimestamp(int(history.at[0]) / 1e6, UTC)
    assert at == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_a_file_that_changes_between_day_first_and_month_first_is_told_by_its_neighbours(
    tmp_path: Path,
) -> None:
    rows = ["02/28/2026 00:00,1", "03/01/2026 00:00,2", "02/03/2026 00:00,3", "13/03/2026 00:00,4"]
    time = '{column: t, zone: Etc/UTC, formats: ["%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M"]}'
    history, _ = _history(
        tmp_path, "t,v\n" + "\n".join(rows), _one("role: zone_temperature, unit: Cel", time)
    )
    days = [datetime.fromtimestamp(int(at) / 1e6, UTC).strftime("%m-%d") for at in history.at]
    assert days == ["02-28", "03-01", "03-02", "03-13"]


def test_energies_of_intervals_make_a_register_that_is_unknown_across_a_gap(tmp_path: Path) -> None:
    rows = ["00:15,1", "00:30,2", "00:45,", "01:00,4", "01:15,8"]
    text = "t,v\n" + "\n".join(f"2026-01-01 {r}" for r in rows)
    time = "{column: t, zone: Asia/Taipei, stamp: end, interval: 15min}"
    assert _values(tmp_path, text, _one("role: energy_import, unit: kWh, holds: energy", time)) == [
        11,
        13,
        0,
        8,
    ]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (MAP.replace("class: Air", "kind: Air"), "kind"),
        (MAP.replace('mixed_air_temperature, unit: "[degF]"', "mixed_air_temperature"), "say its unit"),
        (MAP.replace("[degF]", "kW", 1), "'kW' is active power"),
        (MAP.replace("America/Chicago", "Chicago"), "time zone"),
        (MAP.replace("AHU: Mixed Air", "AHU: Mixd Air"), "no column 'AHU: Mixd Air Temperature'"),
        (
            MAP.replace("mixed_air_temperature", "supply_air_temperature"),
            "is already the supply_air_temperature",
        ),
        (MAP.replace("%m/%d/%Y", "%d.%m.%Y"), "300 of 300 times cannot be read"),
        (MAP.replace("equipment: ahu-1", "equipment: ahu-2", 1), "no equipment 'ahu-2'"),
    ],
)
def test_mistakes_in_a_map_are_told_with_what_is_allowed(tmp_path: Path, wanted: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        _judged(tmp_path, _rows(START, 300, PASSING), wanted)


def test_words_in_a_column_of_numbers_are_a_mistake_and_not_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"trend.csv:2: .*'RUN'; expected a number.* words"):
        _judged(tmp_path, _rows(START, 30, "70,80,0,RUN,1"))


def test_unknown_parameters_and_rules_without_inputs_are_refused(tmp_path: Path) -> None:
    report = _judged(tmp_path, _rows(START, 300, PASSING))
    assert report.findings
    file, map_file = tmp_path / "trend.csv", tmp_path / "map.yaml"
    strict = judge_file(file, map_file, ["ahu-valve-passes"], {"ahu-valve-passes": {"least_drop_k": 9.0}})
    assert strict.findings == ()
    with pytest.raises(Invalid, match="has no parameter nonsense"):
        judge_file(file, map_file, [], {"ahu-valve-passes": {"nonsense": 1.0}})
    with pytest.raises(NotFound, match="sump-high-pump-off needs"):
        judge_file(file, map_file, ["sump-high-pump-off"], {})
    assert np.all(np.diff(report.history.at) > 0)


def test_the_command_prints_days_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _judged(tmp_path, _rows(START, 300, PASSING))
    argv = ["backtest", "--csv", str(tmp_path / "trend.csv"), "--map", str(tmp_path / "map.yaml")]
    assert main(argv) == 0
    said = json.loads(capsys.readouterr().out)
    assert [d["date"] for d in said["days"]] == ["2026-03-10"]
    assert "ahu-valve-passes" in {d["rule"] for d in said["days"][0]["detections"]}
    assert said["score"] == {
        "faulty_days": 1,
        "found_days": 1,
        "healthy_days": 0,
        "false_days": 0,
        "precision": 1.0,
        "recall": 1.0,
    }


def _maps_of_the_page() -> list[str]:
    page = (Path(__file__).parents[2] / "docs" / "try-it.md").read_text(encoding="utf-8")
    return re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)


@pytest.mark.parametrize("wanted", _maps_of_the_page())
def test_the_maps_of_the_page_can_be_read(tmp_path: Path, wanted: str) -> None:
    map_file = tmp_path / "map.yaml"
    map_file.write_text(wanted, encoding="utf-8")
    assert mapped_columns(read_history_map(map_file), map_file)
