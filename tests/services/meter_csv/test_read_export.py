"""An export of any common shape gives the same readings; what a file does not tell is asked, not guessed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from energy_center.errors import ConfigError
from energy_center.services.meter_csv.model import CsvOptions, DateOrder, Export, Quantity, Stamp
from energy_center.services.meter_csv.read_export import read_export

TAIPEI = ZoneInfo("Asia/Taipei")
START = datetime(2026, 11, 24, tzinfo=TAIPEI)
ENERGIES = [12.5, 13.25, 0.0, 1234.5]  # kWh of 00:00, 00:15, 00:30, 00:45 on 24 November 2026
EPOCHS = [START.timestamp() + 900 * i for i in range(4)]

START_ROWS = "2026-11-24 00:00,12.5\n2026-11-24 00:15,13.25\n2026-11-24 00:30,0\n2026-11-24 00:45,1234.5\n"

# every text says the same four intervals
SAME = {
    "plain": "time,kWh\n" + START_ROWS,
    "no heading unit but Chinese": "日期時間,用電量(度)\n" + START_ROWS,
    "byte-order mark": "\ufefftime,energy [kWh]\n" + START_ROWS,
    "headings with blanks": " time , energy (kWh) \n" + START_ROWS,
    "titles above": "臺灣大道市政大樓\n匯出日期: 2026-12-01\n\ntime,kWh\n" + START_ROWS,
    "units below": "time,energy\n,kWh\n" + START_ROWS,
    "semicolons and decimal commas": "time;kWh\n" + START_ROWS.replace(",", ";").replace(".", ","),
    "tabs": "time\tkWh\n" + START_ROWS.replace(",", "\t"),
    "thousands": "time,kWh\n" + START_ROWS.replace("1234.5", '"1,234.5"'),
    "thousands by points": "time;kWh\n"
    + START_ROWS.replace(",", ";").replace(".", ",").replace("1234", "1.234"),
    "ISO with offset": "time,kWh\n" + START_ROWS.replace(" 0", "T0").replace(",", "+08:00,"),
    "ISO in UTC": "time,kWh\n2026-11-23T16:00:00Z,12.5\n2026-11-23T16:15:00Z,13.25\n"
    "2026-11-23T16:30:00Z,0\n2026-11-23T16:45:00Z,1234.5\n",
    "years of the Republic": "time,kWh\n" + START_ROWS.replace("2026-11-24", "115/11/24"),
    "years of the Republic in words": "時間,度\n" + START_ROWS.replace("2026-11-24", "民國115年11月24日"),
    "day first": "time,kWh\n" + START_ROWS.replace("2026-11-24", "24/11/2026"),
    "month first": "time,kWh\n" + START_ROWS.replace("2026-11-24", "11/24/2026"),
    "month by name": "time,kWh\n" + START_ROWS.replace("2026-11-24", "24-Nov-2026"),
    "compact": "time,kWh\n" + START_ROWS.replace("2026-11-24 00:", "2026112400"),
    "half days": "time,kWh\n" + START_ROWS.replace("24 00:", "24 12:").replace(",", " AM,"),
    "half days in Chinese": "time,kWh\n" + START_ROWS.replace("24 00:", "24 上午 12:"),
    "weekdays": "time,kWh\n" + START_ROWS.replace("24 00", "24 (二) 00"),
    "date and clock apart": "日期,時間,度\n" + START_ROWS.replace("24 00", "24,00"),
    "start and end": "start,end,kWh\n" + START_ROWS.replace(",", ",2026-11-24 00:59,"),
    "newest first": "time,kWh\n" + "".join(reversed(START_ROWS.splitlines(keepends=True))),
    "megawatt-hours": "time,MWh\n2026-11-24 00:00,0.0125\n2026-11-24 00:15,0.01325\n2026-11-24 00:30,0\n"
    "2026-11-24 00:45,1.2345\n",
    "repeated lines": "time,kWh\n" + START_ROWS + START_ROWS,
    "blank lines and no last line break": "time,kWh\n\n" + START_ROWS.strip().replace("\n", "\n\n"),
    "meter number beside": "電號,time,kWh,status\n"
    + "".join(f"18337005087,{row},0\n" for row in START_ROWS.splitlines()),
    "days by times": "date,00:00,00:15,00:30,00:45\n2026-11-24,12.5,13.25,0,1234.5\n",
}
STAMPED = CsvOptions(stamp=Stamp.START, unit="kWh")


def _read(tmp_path: Path, text: str | bytes, options: CsvOptions = CsvOptions()) -> Export:  # noqa: B008 frozen
    file = tmp_path / "export.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_export(file, options)


def _asked(tmp_path: Path, text: str, options: CsvOptions = CsvOptions()) -> str:  # noqa: B008 frozen
    with pytest.raises(ConfigError) as problem:
        _read(tmp_path, text, options)
    return str(problem.value)


@pytest.mark.parametrize("shape", SAME)
def test_every_shape_gives_the_same_intervals(shape: str, tmp_path: Path):
    unit = None if "kWh" in SAME[shape] or "度" in SAME[shape] or "MWh" in SAME[shape] else "kWh"
    found = _read(tmp_path, SAME[shape], CsvOptions(stamp=Stamp.START, unit=unit))
    assert found.at_s.tolist() == EPOCHS
    assert found.value == pytest.approx(ENERGIES)
    assert (found.unit, found.quantity, found.interval_s) == ("kW.h", Quantity.ENERGY, 900)
    assert (found.bad_count, found.empty) == (0, 0)


def test_big5_is_read(tmp_path: Path):
    found = _read(tmp_path, ("時間,用電量(度)\n" + START_ROWS).encode("big5"), STAMPED)
    assert found.value == pytest.approx(ENERGIES)
    assert any("cp950" in a.text for a in found.assumptions)


def test_utf_16_is_read(tmp_path: Path):
    assert _read(tmp_path, ("time,kWh\n" + START_ROWS).encode("utf-16"), STAMPED).value == pytest.approx(
        ENERGIES
    )


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (
            "time,kWh\n03/04/2026 00:00,1\n04/04/2026 00:00,2\n",
            "--date-order dmy (day/month/year: 2026-04-03",
        ),
        ("time,kWh\n24/11/2026 00:00,1\n11/25/2026 00:00,2\n", "day/month/year fails at line 3 (11/25/2026)"),
        ("time,kWh\n24/11/2026 00:00,1\n11/25/2026 00:00,2\n", "month/day/year fails at line 2 (24/11/2026)"),
        ("time,kWh\n06/07/08 00:00,1\n07/07/08 00:00,2\n", "--date-order ymd"),
        ('time,kWh\n2026-11-24 00:00,"1,234"\n2026-11-24 00:15,"2,345"\n', "may mark thousands or decimals"),
        (
            "time;kWh\n2026-11-24 00:00;1,5\n2026-11-24 00:15;2.5\n",
            "decimal comma and decimal point are mixed",
        ),
        ("time,kWh A,kWh B\n2026-11-24 00:00,1,2\n", "one of 'kWh A', 'kWh B'"),
        ("time,x\n2026-11-24 00:00,5\n2026-11-24 00:15,4\n", "say --unit kWh or --unit kW"),
        ("time,kWh\n2026-11-24 00:00,5\n", "say --interval"),
        ("", "the file is empty"),
        ("hello\nworld\n", "no line holds a time"),
    ],
)
def test_what_is_unclear_is_asked_with_the_option_that_answers(text: str, names: str, tmp_path: Path):
    assert names in _asked(tmp_path, text)


def test_the_answer_is_taken(tmp_path: Path):
    text = "time,kWh\n03/04/2026 00:00,1\n04/04/2026 00:00,2\n05/04/2026 00:00,1\n"
    april = _read(tmp_path, text, CsvOptions(date_order=DateOrder.DMY))
    march = _read(tmp_path, text, CsvOptions(date_order=DateOrder.MDY))
    assert april.at_s[0] == datetime(2026, 4, 3, tzinfo=TAIPEI).timestamp()
    assert march.at_s[0] == datetime(2026, 3, 4, tzinfo=TAIPEI).timestamp()
    assert (april.interval_s, march.interval_s) == (86_400, 30 * 86_400)


def test_a_year_of_two_digits_is_taken_in_the_order_told(tmp_path: Path):
    text = "time,kWh\n" + START_ROWS.replace("2026-11-24", "24.11.26")
    assert "--date-order ymd" in _asked(tmp_path, text, STAMPED)
    told = CsvOptions(date_order=DateOrder.DMY, stamp=Stamp.START)
    assert _read(tmp_path, text, told).at_s.tolist() == EPOCHS


def test_a_date_that_is_the_same_in_every_order_is_not_asked_about(tmp_path: Path):
    found = _read(tmp_path, "time,kWh\n05/05/2026 00:00,1\n05/05/2026 01:00,2\n", STAMPED)
    assert found.at_s[0] == datetime(2026, 5, 5, tzinfo=TAIPEI).timestamp()


def test_bad_cells_are_named_with_line_column_found_and_expected(tmp_path: Path):
    rows = START_ROWS.replace("00:30,0", "00:30,oops")
    found = _read(
        tmp_path, f"time,kWh\n{rows}2026-11-31 00:00,5\n2026-11-24 25:00,5\n2026-11-24 01:00,-3\nx\n", STAMPED
    )
    assert [(b.line, b.column, b.found) for b in found.bad] == [
        (4, "kWh", "oops"),
        (6, "time", "2026-11-31 00:00"),
        (7, "time", "2026-11-24 25:00"),
        (8, "kWh", "-3"),
        (9, "line", "x"),
    ]
    assert found.bad[0].sentence("a.csv") == "a.csv:4: kWh 'oops'; expected a number"
    assert "year/month/day" in found.bad[1].expected
    assert found.value.tolist() == [12.5, 13.25, 1234.5]


def test_missing_is_missing_and_never_zero(tmp_path: Path):
    found = _read(tmp_path, "time,kWh\n" + START_ROWS.replace("13.25", "N/A").replace(",0\n", ",\n"), STAMPED)
    assert (found.empty, found.bad_count, len(found)) == (2, 0, 2)


def test_two_values_at_one_time_keep_the_first_and_say_so(tmp_path: Path):
    found = _read(tmp_path, "time,kWh\n" + START_ROWS + "2026-11-24 00:15,99\n", STAMPED)
    assert found.value[1] == 13.25
    assert found.bad[0].sentence("f") == "f:6: kWh '99'; expected 13.25 as in line 3, which is kept"


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("time,kWh\n2026-11-24 00:15,1\n2026-11-24 00:30,2\n2026-11-24 24:00,1\n", -0.25),
        ("period ending,kWh\n2026-11-24 00:15,1\n2026-11-24 00:30,2\n", 0),
        ("date,00:15,00:30,00:45,24:00\n2026-11-24,1,2,1,2\n", 0),
    ],
)
def test_stamps_at_the_end_are_told_by_the_file(text: str, first: float, tmp_path: Path):
    found = _read(tmp_path, text, CsvOptions(unit="kWh"))
    assert found.at_s[0] == START.timestamp()
    assert any("name the end of the interval" in a.text for a in found.assumptions)


def test_a_24_00_alone_tells_that_stamps_are_ends(tmp_path: Path):
    found = _read(tmp_path, "time,kWh\n2026-11-24 23:30,1\n2026-11-24 23:45,2\n2026-11-24 24:00,1\n")
    assert found.at_s[0] == (START + timedelta(hours=23, minutes=15)).timestamp()


def test_a_day_from_midnight_is_stamped_at_the_start_and_one_to_midnight_at_the_end(tmp_path: Path):
    at = [START + timedelta(minutes=15 * i) for i in range(97)]
    starts = "".join(f"{t:%Y-%m-%d %H:%M},{i % 7}\n" for i, t in enumerate(at[:96]))
    ends = "".join(f"{t:%Y-%m-%d %H:%M},{i % 7}\n" for i, t in enumerate(at[1:]))
    for text in (starts, ends):
        found = _read(tmp_path, "time,kWh\n" + text)
        assert (found.at_s[0], found.end_s) == (at[0].timestamp(), at[96].timestamp())
        assert not any("nothing in the file says" in a.text for a in found.assumptions)


def test_a_column_that_rises_is_a_register_and_stays_at_its_stamps(tmp_path: Path):
    text = "time,kWh\n" + "".join(f"2026-11-24 {h:02}:00,{1000 + 5 * h}\n" for h in range(24))
    found = _read(tmp_path, text)
    assert found.quantity is Quantity.REGISTER
    assert (found.at_s[0], found.end_s) == (START.timestamp(), START.timestamp() + 23 * 3600)


def test_power_is_known_by_its_unit(tmp_path: Path):
    found = _read(
        tmp_path,
        "time,Demand (W)\n2026-11-24 00:00,5000\n2026-11-24 00:15,7000\n",
        CsvOptions(stamp=Stamp.START),
    )
    assert (found.quantity, found.unit, found.value.tolist()) == (Quantity.POWER, "kW", [5.0, 7.0])


def test_the_hour_that_comes_twice_is_told_apart_by_order(tmp_path: Path):
    # New York, 1 November 2026: 01:00-01:59 twice
    clocks = ["00:30", "01:00", "01:30", "01:00", "01:30", "02:00"]
    text = "time,kWh\n" + "".join(f"2026-11-01 {c},{i}\n" for i, c in enumerate(clocks))
    found = _read(
        tmp_path,
        text,
        CsvOptions(zone="America/New_York", stamp=Stamp.START, quantity=Quantity.ENERGY, unit="kWh"),
    )
    assert np.diff(found.at_s).tolist() == [1800.0] * 5
    assert (found.bad_count, found.repeated) == (0, 0)


def test_a_time_that_the_zone_skips_is_named(tmp_path: Path):
    text = "time,kWh\n2026-03-08 01:30,3\n2026-03-08 02:30,2\n2026-03-08 03:30,1\n"
    found = _read(tmp_path, text, CsvOptions(zone="America/New_York", stamp=Stamp.START))
    assert [(b.line, "skips" in b.expected) for b in found.bad] == [(3, True)]
    standard = _read(tmp_path, text, CsvOptions(zone="Etc/GMT+5", stamp=Stamp.START))
    assert np.diff(standard.at_s).tolist() == [3600.0, 3600.0]


def test_seconds_since_1970_and_spreadsheet_days_are_times(tmp_path: Path):
    unix = _read(tmp_path, f"ts,kWh\n{EPOCHS[0]:.0f},3\n{EPOCHS[1]:.0f},2\n", STAMPED)
    assert unix.at_s.tolist() == EPOCHS[:2]
    serial = _read(
        tmp_path, "ts,kWh\n46350,3\n46350.0104166667,2\n", STAMPED
    )  # 2026-11-24, as spreadsheets count
    assert serial.at_s.tolist() == EPOCHS[:2]


def test_one_meter_of_several_is_chosen(tmp_path: Path):
    text = "meter,time,kWh\n" + "".join(
        f"{m},2026-11-24 00:{q:02},{v + extra}\n"
        for q, v in ((0, 3), (15, 2))
        for m, extra in (("A", 7), ("B", 0))
    )
    found = _read(tmp_path, text, CsvOptions(only={"meter": "B"}, stamp=Stamp.START))
    assert (found.value.tolist(), found.bad_count) == ([3.0, 2.0], 0)


def test_a_named_column_must_exist_and_the_message_lists_what_does(tmp_path: Path):
    told = _asked(tmp_path, "time,kWh\n" + START_ROWS, CsvOptions(columns={"value": "kvar"}))
    assert "no column 'kvar'; the file has 'time', 'kWh'" in told
    told = _asked(tmp_path, "time,kWh\n" + START_ROWS, CsvOptions(columns={"wert": "kWh"}))
    assert "allowed are time, date, value" in told


def test_a_decimal_comma_in_a_comma_separated_file_is_explained(tmp_path: Path):
    found = _read(
        tmp_path, "time,kWh\n2026-11-24 00:00,12\n2026-11-24 00:15,13,25\n2026-11-24 00:30,11\n", STAMPED
    )
    assert "a decimal comma needs quotes" in found.bad[0].expected


def test_everything_assumed_is_said_with_its_option(tmp_path: Path):
    found = _read(tmp_path, SAME["plain"])
    options = {a.option.split()[0] for a in found.assumptions}
    names = "column encoding delimiter date-order decimal quantity unit zone interval stamp"
    assert options == {f"--{name}" for name in names.split()}
    assert all(a.text.endswith(".") for a in found.assumptions)
    assert datetime.fromtimestamp(found.at_s[0], UTC) == START.astimezone(UTC)


_CELLS = st.sampled_from(
    [
        *(
            "time",
            "kWh",
            "kW",
            "度",
            "2026-01-01 00:00",
            "2026-01-01 00:15",
            "01/02/2026 24:00",
            "115/2/3 上午 1:00",
        ),
        *(
            "1",
            "2.5",
            "1,234",
            "1.234,5",
            "-",
            "",
            "NaN",
            "1e400",
            "-3",
            "46350.5",
            "1700000000",
            "0000/00/00",
            "99:99",
        ),
        *(
            '"',
            "a\nb",
            "\x00",
            "٣",
            "²",
            "2026-02-30",
            "inf",
            "+08:00",
            "T",
            "24:00",
            "20261301",
            "1/1/1",
            "½",
        ),
    ]
) | st.text(max_size=8)


@given(st.lists(st.lists(_CELLS, max_size=4), max_size=8), st.sampled_from([",", ";", "\t"]))
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_no_file_however_odd_breaks_the_reader(tmp_path: Path, rows: list[list[str]], mark: str):
    text = "\n".join(mark.join(row) for row in rows)
    try:
        found = _read(tmp_path, text.encode("utf-8", "surrogatepass"))
    except ConfigError:
        return
    assert np.all(np.diff(found.at_s) > 0)
    assert np.all(np.isfinite(found.value))
