"""Where imports come from: a file, an address on a real server, a sheet of a workbook."""

import threading
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import openpyxl
import pytest

from energy_center.errors import ConfigError
from energy_center.services.import_source import Limits, opened

QUARTER = datetime(2026, 1, 1, 0, 15)  # noqa: DTZ001  a workbook knows no zone
CONTENT = b"time,kWh\n2026-01-01 00:15,1.5\n"


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", "http://user:word@elsewhere/old.csv?token=x")
            self.end_headers()
        elif self.path.startswith("/nowhere"):
            self.send_response(302)
            self.send_header("Location", "http://[oops/")
            self.end_headers()
        elif self.path.startswith(("/old.csv", "/long")):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(CONTENT)
        elif self.path.startswith("/large"):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"x" * 200_000)
        else:
            self.send_error(404)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        running = threading.Thread(target=server.serve_forever, args=(0.01,))
        running.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        running.join()


def workbook(folder: Path, *sheets: str) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name in sheets:
        sheet = book.create_sheet(name)
        sheet.append(["time", "kWh", "day", "note"])
        sheet.append([QUARTER, 1234567.25, date(2026, 1, 1), "first"])
        sheet.append([])
        sheet.append([QUARTER + timedelta(minutes=15), 2, None, "臺中"])
    book.save(folder / "old.xlsx")
    return folder / "old.xlsx"


def test_file_is_read_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_bytes(CONTENT)
    with opened(str(tmp_path / "old.csv")) as source:
        assert source.path == tmp_path / "old.csv"


def test_address_is_fetched_and_called_by_its_name_without_secrets(address: str) -> None:
    with opened(f"http://user:word@{address}/old.csv?token=secret") as source:
        assert source.path.read_bytes() == CONTENT
        assert source.shown == f"http://{address}/old.csv"
        assert source.told(f"{source.path}:2: kWh") == f"http://{address}/old.csv:2: kWh"
        kept = source.path
    assert not kept.exists()


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/none.csv", "the server answers 404 Not Found"),
        ("/moved", "leads on to http://elsewhere/old.csv; give that address"),
        ("/nowhere", "leads on to an address that is none; give the right one"),
        ("/large", "is larger than 0 MiB"),
    ],
)
def test_what_cannot_be_fetched_is_said(address: str, path: str, why: str) -> None:
    with (
        pytest.raises(ConfigError, match=why),
        opened(f"http://{address}{path}", limits=Limits(fetched=100_000)),
    ):
        pass


def test_address_may_be_long(address: str) -> None:
    with opened(f"http://{address}/{'long' * 100}.csv") as source:
        assert source.path.read_bytes() == CONTENT


def test_address_that_is_none_is_said() -> None:
    with (
        pytest.raises(ConfigError, match="cannot be fetched: Invalid IPv6 URL"),
        opened("http://[oops/old.csv"),
    ):
        pass


def test_server_that_is_not_there_is_said_without_the_password() -> None:
    with (
        pytest.raises(ConfigError, match="cannot be fetched") as told,
        opened("http://me:word@127.0.0.1:1/old.csv"),
    ):
        pass
    assert "word" not in str(told.value)


def test_sheet_becomes_lines_of_text_at_the_same_numbers(tmp_path: Path) -> None:
    with opened(str(workbook(tmp_path, "Data"))) as source:
        assert source.path.read_text(encoding="utf-8").splitlines() == [
            "time,kWh,day,note",
            "2026-01-01 00:15:00,1234567.25,2026-01-01 00:00:00,first",
            ",,,",
            "2026-01-01 00:30:00,2,,臺中",
        ]
        assert source.shown == str(tmp_path / "old.xlsx")


def test_sheet_of_several_must_be_named_and_be_there(tmp_path: Path) -> None:
    path = str(workbook(tmp_path, "2025", "2026"))
    with pytest.raises(ConfigError, match="say which by --sheet: 2025, 2026"), opened(path):
        pass
    with pytest.raises(ConfigError, match="has no sheet '2027'; it has 2025, 2026"), opened(path, "2027"):
        pass
    with opened(path, "2026") as source:
        assert source.path.exists()


def test_what_is_no_file_or_no_workbook_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file"), opened(str(tmp_path / "none.csv")):
        pass
    (tmp_path / "torn.xlsx").write_bytes(b"PK\x03\x04 torn")
    with (
        pytest.raises(ConfigError, match="is not a workbook that can be read"),
        opened(str(tmp_path / "torn.xlsx")),
    ):
        pass
    (tmp_path / "old.csv").write_bytes(CONTENT)
    with pytest.raises(ConfigError, match="this is no workbook"), opened(str(tmp_path / "old.csv"), "Data"):
        pass


def test_workbook_that_unpacks_without_end_is_refused(tmp_path: Path) -> None:
    path = str(workbook(tmp_path, "Data"))
    with pytest.raises(ConfigError, match="unpacks to more than"), opened(path, limits=Limits(unpacked=1000)):
        pass


ENDLESS = b"""<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "aaaaaaaaaa">%s]><worksheet
xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row><c t="inlineStr"><is>
<t>&%s;</t></is></c></row></sheetData></worksheet>""" % (
    b"".join(b'<!ENTITY a%s "%s">' % (b"b" * n, (b"&a%s;" % (b"b" * (n - 1))) * 10) for n in range(1, 12)),
    b"a" + b"b" * 11,
)


@pytest.mark.parametrize("content", [b"", b"<worksheet><sheetData>", ENDLESS])
def test_sheet_of_broken_or_endless_xml_is_refused(tmp_path: Path, content: bytes) -> None:
    whole, broken = workbook(tmp_path, "Data"), tmp_path / "broken.xlsx"
    with zipfile.ZipFile(whole) as packed, zipfile.ZipFile(broken, "w") as again:
        for part in packed.infolist():
            again.writestr(part, content if part.filename.endswith("sheet1.xml") else packed.read(part))
    with pytest.raises(ConfigError, match="is not a workbook that can be read"), opened(str(broken)):
        pass
