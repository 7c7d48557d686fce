"""`verify` on files: both languages, JSON, one file for both, °F, and mistakes told by name."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from energy_center.cli import main
from tests.bench.verification.buildings import make_case

SPANS = ["--baseline", "2024-01-01..2024-12-31", "--reporting", "2025-01-15..2026-01-14"]


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> tuple[Path, Path]:
    """A meter's hours with °F beside them; the same temperatures by day in °C."""
    made = make_case(7, 0.1)
    folder = tmp_path_factory.mktemp("verify")
    hours = made.hours
    rows = ["Time,Energy [kWh],Temperature (F)"]
    for on, slot, kwh, celsius in zip(
        hours.day, np.tile(np.arange(24), len(made.days)), hours.energy_kwh, hours.temperature_c, strict=True
    ):
        energy = "" if np.isnan(kwh) else f"{kwh:.3f}"
        rows.append(f"{date.fromordinal(int(on))} {slot:02d}:00,{energy},{celsius * 1.8 + 32:.2f}")
    meter, weather = folder / "meter.csv", folder / "weather.csv"
    meter.write_text("\n".join(rows))
    daily = zip(made.days.day, made.days.temperature_c, strict=True)
    weather.write_text(
        "日期;氣溫(°C)\n" + "\n".join(f"{date.fromordinal(int(on))};{t:.2f}" for on, t in daily)
    )
    return meter, weather


def answer(capsys, *words: str) -> dict:
    main(["verify", "--json", *words, *SPANS])
    return json.loads(capsys.readouterr().out)


def test_fahrenheit_in_the_meters_own_file_and_celsius_by_day_agree(files, capsys):
    meter, weather = map(str, files)
    one = answer(capsys, "--csv", meter, "--temperature", meter, "--method", "daily")
    other = answer(capsys, "--csv", meter, "--temperature", weather)
    assert one["verdict"] == other["verdict"] == "saved"
    assert one["estimate"]["avoided_share"] == pytest.approx(other["estimate"]["avoided_share"], abs=1e-3)
    assert one["estimate"]["avoided_share"] == pytest.approx(0.1, abs=0.02)
    assert one["baseline"]["missing"] == one["baseline"]["days"] - one["baseline"]["used"] > 0


def test_the_answer_is_in_the_language_asked_for(files, capsys):
    meter = str(files[0])
    assert main(["verify", "--csv", meter, "--temperature", meter, *SPANS, "--language", "zh-TW"]) == 0
    assert capsys.readouterr().out.startswith("確有節能:")


def test_an_adjustment_is_shown_for_itself(files, capsys):
    meter = str(files[0])
    words = ["--csv", meter, "--temperature", meter, "--adjust", "2025-02-01..2025-02-10=-50"]
    assert answer(capsys, *words)["estimate"]["adjustment_kwh"] == pytest.approx(-500)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--reporting", "2024-06-01..2025-01-01"], "must end before it"),
        (["--temperature-column", "Energy [kWh]"], "is no temperature"),
        (["--temperature-column", "Humidity"], "no column 'Humidity'"),
    ],
)
def test_mistakes_are_told(files, capsys, words, said):
    meter = str(files[0])
    assert main(["verify", "--csv", meter, "--temperature", meter, *SPANS, *words]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("words", ["2024-01-01", "2024-01-01..2023-01-01", "a..b"])
def test_spans_that_are_none_are_refused(files, capsys, words):
    meter = str(files[0])
    with pytest.raises(SystemExit):
        main(["verify", "--csv", meter, "--temperature", meter, "--baseline", words])
    assert words in capsys.readouterr().err


def test_a_meter_command_refuses_temperatures(files, capsys):
    assert main(["intervals", "--csv", str(files[1])]) == 2
    assert "holds temperatures" in capsys.readouterr().err
