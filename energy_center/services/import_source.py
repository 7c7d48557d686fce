"""Where an import comes from: a file, or an address that is fetched; a workbook becomes one CSV of a sheet.

An address is fetched only when a person gives it. Line numbers of the CSV are the sheet's rows.
"""

import csv
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from energy_center.errors import ConfigError

if TYPE_CHECKING:
    import httpx

_CONNECT_S, _READ_S = 10.0, 30.0
_MIB = 2**20
_ZIP_START = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a source may take: bytes fetched, bytes that a workbook (a ZIP) unpacks to, seconds to fetch."""

    fetched: int = 64 * _MIB
    unpacked: int = 256 * _MIB
    fetching_s: float = 300.0


_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Source:
    """A readable CSV `path`, and what a person calls it: `shown`."""

    path: Path
    shown: str

    def told(self, sentence: str) -> str:
        """A message about the path as one about what the person gave."""
        return sentence.replace(str(self.path), self.shown)


@contextmanager
def opened(given: str, sheet: str | None = None, limits: Limits = _LIMITS) -> Iterator[Source]:
    """The source as a CSV file while the block runs; raises ConfigError naming what is wrong with it."""
    with tempfile.TemporaryDirectory(prefix="energy-center-import-") as folder:
        if given.startswith(("http://", "https://")):
            try:
                shown = _without_secrets(given)
            except ValueError as cause:  # without the address: it may hold a password
                raise ConfigError([f"the address cannot be fetched: {cause}"]) from cause
            path = _fetched(given, shown, Path(folder), limits)
        else:
            shown, path = given, Path(given)
        if not path.is_file():
            raise ConfigError([f"{shown}:1: there is no such file"])
        with path.open("rb") as start:
            is_workbook = start.read(len(_ZIP_START)) == _ZIP_START
        if is_workbook:
            path = _sheet_as_csv(path, shown, sheet, Path(folder), limits)
        elif sheet is not None:
            raise ConfigError([f"{shown}:1: sheet '{sheet}' is asked for, but this is no workbook"])
        yield Source(path, shown)


def _without_secrets(address: str) -> str:
    """An address as it may be shown: without user, password and query; raises ValueError for what is none."""
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _fetched(address: str, shown: str, folder: Path, limits: Limits) -> Path:
    import httpx

    path = folder / "fetched"
    waits = httpx.Timeout(_READ_S, connect=_CONNECT_S)
    try:
        with (
            httpx.Client(timeout=waits, follow_redirects=False) as client,
            client.stream("GET", address) as answer,
            path.open("wb") as file,
        ):
            if answer.status_code != httpx.codes.OK:
                raise ConfigError([f"{shown}:1: {_refusal(answer)}"])
            _take(answer, file.write, shown, limits)
    except (httpx.HTTPError, httpx.InvalidURL) as cause:
        raise ConfigError([f"{shown}:1: cannot be fetched: {cause or type(cause).__name__}"]) from cause
    return path


def _take(answer: "httpx.Response", write: Callable[[bytes], int], shown: str, limits: Limits) -> None:
    taken, ends = 0, monotonic() + limits.fetching_s
    for part in answer.iter_bytes():
        taken += len(part)
        if taken > limits.fetched:
            raise ConfigError(
                [f"{shown}:1: is larger than {limits.fetched // _MIB} MiB; fetch it by hand and split it"]
            )
        if monotonic() > ends:
            raise ConfigError([f"{shown}:1: takes longer than {limits.fetching_s:.0f} s; fetch it by hand"])
        write(part)


def _refusal(answer: "httpx.Response") -> str:
    if answer.is_redirect:
        try:
            return f"leads on to {_without_secrets(answer.headers.get('location', ''))}; give that address"
        except ValueError:
            return "leads on to an address that is none; give the right one"
    return f"the server answers {answer.status_code} {answer.reason_phrase}"


def _sheet_as_csv(path: Path, shown: str, sheet: str | None, folder: Path, limits: Limits) -> Path:
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    target = folder / "sheet.csv"
    try:
        _check_size(path, shown, limits)
        with path.open("rb") as packed, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions, which no reading depends on
            book = openpyxl.load_workbook(packed, read_only=True, data_only=True)
            rows = book[_chosen(book.sheetnames, sheet, shown)].iter_rows(values_only=True)
            with target.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows([_text(cell) for cell in row] for row in rows)
    except (InvalidFileException, zipfile.BadZipFile, SyntaxError, KeyError, ValueError, OSError) as cause:
        raise ConfigError([f"{shown}:1: is not a workbook that can be read: {cause}"]) from cause
    return target


def _check_size(path: Path, shown: str, limits: Limits) -> None:
    with zipfile.ZipFile(path) as packed:
        if sum(part.file_size for part in packed.infolist()) > limits.unpacked:
            raise ConfigError([f"{shown}:1: unpacks to more than {limits.unpacked // _MIB} MiB; split it"])


def _chosen(names: list[str], wanted: str | None, shown: str) -> str:
    if wanted is None and len(names) == 1:
        return names[0]
    if wanted is None:
        raise ConfigError([f"{shown}:1: has several sheets; say which by --sheet: {', '.join(names)}"])
    if wanted not in names:
        raise ConfigError([f"{shown}:1: has no sheet '{wanted}'; it has {', '.join(names)}"])
    return wanted


def _text(cell: object) -> str:
    """A cell as a CSV holds it: ISO 8601 for times, a plain decimal for numbers."""
    match cell:
        case None:
            return ""
        case datetime():
            return _nearest_second(cell).isoformat(" ")
        case date() | time():
            return cell.isoformat()
        case float():
            return f"{cell:.15g}"
        case _:
            return str(cell)


def _nearest_second(at: datetime) -> datetime:
    """A workbook holds days as floating point, so that 10:15 may be read as 10:14:59.999997."""
    return (at + timedelta(milliseconds=500)).replace(microsecond=0)
