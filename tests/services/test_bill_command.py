"""`energy-center bill` of a file: no database, every question answered, every mistake named."""

import json
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from energy_center.cli import main
from energy_center.errors import ConfigError
from energy_center.services.utility_bill import read_utility_bill

JULY = datetime(2026, 7, 1)  # noqa: DTZ001 - as the export writes it


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A register read every quarter-hour from 25 June to 7 August: 100 kW, 700 kW on weekday evenings."""
    at, register, lines = JULY - timedelta(days=6), 1000.0, ["time,kWh"]
    while at <= JULY + timedelta(days=38):
        lines.append(f"{at:%Y-%m-%d %H:%M},{register:.2f}")
        evening = at.weekday() < 5 and 16 <= at.hour < 22
        register += (700.0 if evening else 100.0) / 4
        at += timedelta(minutes=15)
    path = tmp_path_factory.mktemp("export") / "meter.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def bill(export: Path, *words: str) -> int:
    return main(["bill", "--csv", str(export), "--plan", "taipower-hv-tou3", "--month", "2026-07", *words])


def test_a_month_of_an_export(export: Path, capsys: pytest.CaptureFixture[str]):
    """138 h x 700 kW x 9.39 = 907,074.00; 207 h x 585 = 121,095.00; 60 h x 260 = 15,600.00.

    339 h x 253 = 85,767.00; with 700 kW x 223.60 = 156,520.00 the sum is 1,286,056.
    """
    assert bill(export, "--contract", "700", "--format", "json") == 0
    (found,) = json.loads(capsys.readouterr().out)["bills"]
    assert found["total"] == "1286056"
    assert found["highest_demand_kw"] == "700.000"


def test_the_text_tells_clauses_plans_and_the_best_contract(export: Path, capsys: pytest.CaptureFixture[str]):
    assert bill(export, "--contract", "900", "--compare", "--best-contract") == 0
    told = capsys.readouterr()
    for words in (
        "第五章四(二)，第 27 頁",
        "taipower-hv-tou2",
        "regular 700 kW",
        "The power factor is not known",
        "Saving over 1 months",
    ):
        assert words in told.out
    assert "readings of a register" in told.err


def test_chinese_words(export: Path, capsys: pytest.CaptureFixture[str]):
    bill(export, "--contract", "700", "--language", "zh-TW")
    assert "應繳總金額: 1,286,056 TWD" in capsys.readouterr().out


def test_the_utilitys_bill_is_checked(export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    theirs = tmp_path / "bill.csv"
    theirs.write_text('項目,數值\n尖峰度數(度),"96,600"\n基本電費,167700\n應繳總額,\n', encoding="utf-8")
    assert bill(export, "--contract", "700", "--check", str(theirs)) == 1
    told = capsys.readouterr().out
    assert "Agrees" in told
    assert "Another contract or price (kind regular, kw 750, ours_kw 700)" in told


def test_another_reading_date_is_found(export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Read from 28 June to 30 July: 33 days, 24 weekdays: 33 x 24 x 100 + 24 x 6 x 600 = 165,600 kWh."""
    theirs = tmp_path / "bill.csv"
    theirs.write_text("總度數,165600\n", encoding="utf-8")
    assert bill(export, "--contract", "700", "--check", str(theirs)) == 1
    assert "Read on other days" in (told := capsys.readouterr().out)
    assert "Read on other days: 2026-0" in told


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--csv", "x.csv"], "needs --plan"),
        (["--csv", "x.csv", "--plan", "taipower"], "No tariff 'taipower'; there are: "),
        (["--csv", "x.csv", "--site", "ltb"], "Say --site BUILDING for the installed site, or --csv"),
        (
            ["--csv", "x.csv", "--plan", "taiwan-water", "--contract", "3"],
            "has no contract; leave --contract out",
        ),
        (["--csv", "x.csv", "--plan", "taipower-hv-tou3", "--contract", "a=3"], "expected KW, KIND=KW"),
    ],
)
def test_mistakes_are_one_sentence(words: list[str], message: str, capsys: pytest.CaptureFixture[str]):
    assert main(["bill", *words]) == 2
    assert message in capsys.readouterr().err


def test_all_plans_are_listed(capsys: pytest.CaptureFixture[str]):
    assert main(["bill", "--list-plans"]) == 0
    assert re.search(r"^taipower-hv-tou3 +2023-01, 2025-10 ", capsys.readouterr().out, re.MULTILINE)


@pytest.mark.parametrize(
    ("content", "mistake"),
    [
        ("項目,數值\n尖峰度數,12a\n", "bill.csv, line 2: 尖峰度數: '12a' is no number"),
        ("項目,數值\n雜項,1\n", "bill.csv, line 2: '雜項' is no figure of a bill"),
        ("total,1\ntotal,2\n", "bill.csv, line 2: total is given twice"),
        ("項目,數值\n應繳總額,\n", "bill.csv: no figure in it"),
        ("項目,數值\n\n\n尖峰度數,12a\n", "bill.csv, line 4: 尖峰度數: '12a' is no number"),
        ("total,1\n" + "7" * 140_000, "bill.csv, line 2: field larger than field limit (131072)"),
    ],
)
def test_an_unreadable_cell_of_a_bill_is_an_error(tmp_path: Path, content: str, mistake: str):
    path = tmp_path / "bill.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        read_utility_bill(path)
    assert mistake in refused.value.mistakes


def test_a_bill_a_line_under_a_row_of_names(tmp_path: Path):
    path = tmp_path / "bill.csv"
    path.write_text("尖峰計費度數,最高需量,功因調整費,應繳總額\n100,50,-24530,\n", encoding="utf-8")
    found = read_utility_bill(path)
    assert found == {"energy.peak": 100, "demand": 50, "amount.power_factor": -24530}
