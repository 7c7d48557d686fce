"""Time stamps as meters and spreadsheets write them: split into a date, a clock and an offset."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

EPOCH_DAY = date(1970, 1, 1).toordinal()
_EXCEL_DAY_0 = date(1899, 12, 30).toordinal()  # serial 60 is the 29 February 1900 that never was
DAY_S = 86_400

_HALF = {"AM": 0, "A.M.": 0, "上午": 0, "PM": 12, "P.M.": 12, "下午": 12}
_STAMP = re.compile(
    r"(?P<date>\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{8}(?=$|\D|\d{4}$|\d{6}$)"
    r"|\d{1,2}[- ][A-Za-z]{3,9}[-, ]+\d{2,4}|[A-Za-z]{3,9} \d{1,2},? \d{4})?"
    r"[T ,]*(?P<early>[AP]M|上午|下午)?\s*"
    r"(?P<clock>\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?|(?:(?<=\d{8})|(?<=\d{8}[ T]))\d{4}(?:\d{2})?)?"
    r"\s*(?P<late>[AP]\.?M\.?|上午|下午)?\s*(?P<offset>Z|UTC|[+-]\d{2}:?\d{2})?",
    re.IGNORECASE,
)
_SERIAL = re.compile(r"[2-9]\d{4}(?:\.\d+)?")  # days since 1900: 1954 to 2173
_UNIX = re.compile(r"1\d{9}(?:\.\d+)?|1\d{12}")


@dataclass(frozen=True, slots=True)
class Stamp:
    """A stamp's parts as written; `offset_s` is None for local time. `clock_s` 86400 is 24:00."""

    date_text: str
    clock_s: float | None
    offset_s: int | None


@dataclass(frozen=True, slots=True)
class BadStamp:
    """Why a cell is no time."""

    expected: str


A_TIME = "a date and time such as 2026-11-24 08:15"


@lru_cache(maxsize=4096)
def _tidy(text: str) -> str:
    text = unicodedata.normalize("NFKC", text)
    for old, new in (
        ("民國", ""),
        ("年", "/"),
        ("月", "/"),
        ("日", " "),
        ("時", ":"),
        ("點", ":"),
        ("秒", ""),
    ):
        text = text.replace(old, new)
    text = re.sub(r"分$", "", text).replace("分", ":").strip(" :")
    return re.sub(r"\s*\([^)]*\)\s*", " ", text).strip()  # (二), (Tue)


def split_stamp(cell: str) -> Stamp | BadStamp:
    """The parts of a cell that holds a date, a clock, or both."""
    text = cell.strip()
    if not text.isascii():
        text = _tidy(text)
    found = _STAMP.fullmatch(text)
    if found is None or (found["date"] is None and found["clock"] is None):
        return BadStamp(A_TIME)
    clock = clock_seconds(found["clock"] or "", (found["early"] or found["late"] or "").upper())
    if clock is None:
        return BadStamp("a time of day from 00:00 to 24:00")
    return Stamp(found["date"] or "", clock if found["clock"] else None, offset_seconds(found["offset"]))


def number_stamp(cell: str) -> Stamp | BadStamp:
    """A time as one number: seconds or milliseconds since 1970 (UTC), or a spreadsheet's days since 1900."""
    text = cell.strip()
    if _UNIX.fullmatch(text):
        seconds = float(text) / (1000 if len(text) == len("1700000000000") else 1)
        return Stamp(f"@{int(seconds // DAY_S)}", seconds % DAY_S, 0)
    if _SERIAL.fullmatch(text):
        whole, _, part = text.partition(".")
        seconds = round(float(f"0.{part or 0}") * DAY_S)
        return Stamp(f"@{int(whole) + _EXCEL_DAY_0 - EPOCH_DAY}", float(seconds), None)
    return BadStamp("seconds since 1970 or days since 1900, as in the other lines")


@lru_cache(maxsize=100_000)
def clock_seconds(text: str, half: str) -> float | None:
    """Seconds since midnight of 8:15, 08:15:30.5, 0815 or 24:00; None for what is no time of day."""
    if not text:
        return 0.0
    if ":" not in text:
        text = ":".join(text[i : i + 2] for i in range(0, len(text), 2))
    hour, minute, second = [*(float(part.replace(",", ".")) for part in text.split(":")), 0.0][:3]
    if half:
        if not 1 <= hour <= 12:  # noqa: PLR2004 hours of half a day
            return None
        hour = hour % 12 + _HALF[half]
    seconds = hour * 3600 + minute * 60 + second
    return seconds if minute < 60 and second < 60 and seconds <= DAY_S else None  # noqa: PLR2004 a clock


@lru_cache(maxsize=64)
def offset_seconds(text: str | None) -> int | None:
    """Seconds east of UTC of Z or +08:00; None without one."""
    if not text:
        return None
    if text.upper() in {"Z", "UTC"}:
        return 0
    digits = text[1:].replace(":", "")
    return (1 if text[0] == "+" else -1) * (int(digits[:2]) * 3600 + int(digits[2:]) * 60)
