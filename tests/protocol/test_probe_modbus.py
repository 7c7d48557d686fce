"""The probe of a Modbus device without a site file: numbers, text and identification over real TCP."""

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from collectors.probe import main
from collectors.probe_modbus import texts

NAMES = {0: b"Example Works", 1: b"EW-3", 2: b"1.04", 4: b"Meter", 5: b"EW-3/5A"}
WORDS = struct.pack(">f", 230.2) + b"SN-0042\0" + struct.pack("<4H", *struct.unpack(">4H", b"Taipei  "))


def registers(pdu: bytes) -> bytes:
    address, count = struct.unpack(">HH", pdu[1:5])
    return bytes([pdu[0], 2 * count]) + WORDS[2 * address : 2 * (address + count)]


def identification(pdu: bytes) -> bytes:
    """Two objects a reply, as a device with little room does."""
    names = [(n, text) for n, text in NAMES.items() if n >= pdu[3]]
    told, rest = names[:2], names[2:]
    head = bytes([0x2B, 0x0E, pdu[2], 0x82, 0xFF if rest else 0, rest[0][0] if rest else 0, len(told)])
    return head + b"".join(bytes([n, len(text)]) + text for n, text in told)


def basic_only(pdu: bytes) -> bytes:
    if pdu[2] != 1:
        return bytes([0xAB, 3])
    return bytes([0x2B, 0x0E, 1, 1, 0, 0, 1, 0, 4]) + b"Tiny"


@asynccontextmanager
async def device(answer: Callable[[bytes], bytes]) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readexactly(7)
                pdu = answer(await reader.readexactly(int.from_bytes(head[4:6], "big") - 1))
                writer.write(head[:4] + struct.pack(">H", len(pdu) + 1) + head[6:7] + pdu)
        except asyncio.IncompleteReadError:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def probed(
    capsys: pytest.CaptureFixture[str], answer: Callable[[bytes], bytes], *options: str
) -> list[dict[str, object]]:
    async with device(answer) as port:
        status = await asyncio.to_thread(
            main, ["--modbus", f"127.0.0.1:{port}", "--format", "json", *options]
        )
    said = capsys.readouterr()
    assert status == 0, said.err
    found: list[dict[str, object]] = json.loads(said.out)
    return found


async def test_numbers_under_every_order(capsys: pytest.CaptureFixture[str]) -> None:
    rows = await probed(capsys, registers, "--address", "0", "--count", "2")
    reads = {(r["type"], r["words"]): r["reads"] for r in rows if r["address"] == 0}
    assert reads["f32", "big"] == pytest.approx(230.2)
    assert reads["u32", "little"] == 0x33334366
    assert not [r for r in rows if r["type"] == "text"]


@pytest.mark.parametrize(
    ("address", "expected"), [("2", ("big", "SN-0042")), ("6", ("big_swapped", "Taipei"))]
)
async def test_text(capsys: pytest.CaptureFixture[str], address: str, expected: tuple[str, str]) -> None:
    rows = await probed(capsys, registers, "--address", address, "--count", "4")
    assert expected in [(r["words"], r["reads"]) for r in rows if r["type"] == "text"]


@pytest.mark.parametrize("words", [[], [0, 0], [0x4142], [0x4142, 0x4301], [0xFFFF] * 4])
def test_what_is_not_letters_is_no_text(words: list[int]) -> None:
    assert texts(0, words) == []


async def test_device_tells_who_it_is_in_several_replies(capsys: pytest.CaptureFixture[str]) -> None:
    rows = await probed(capsys, identification, "--identify")
    assert {r["object"]: r["reads"] for r in rows} == {
        "vendor": "Example Works", "product code": "EW-3", "revision": "1.04",
        "product": "Meter", "model": "EW-3/5A",
    }  # fmt: skip


async def test_basic_identification_where_there_is_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert await probed(capsys, basic_only, "--identify") == [{"object": "vendor", "reads": "Tiny"}]


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (bytes([0xAB, 1]), "does not tell who it is"),
        (bytes([0x2B, 0x0E, 2, 0x82, 0, 0, 1, 0, 9]) + b"short", "ends within an object"),
        (bytes([0x2B, 0x0E, 2, 0x82, 0, 0, 1]), "ends within an object"),
        (bytes([0x2B, 0x0E]), "does not fit"),
        (bytes([0x2B, 0x0E, 2, 0x82, 0xFF, 0, 0]), "does not end"),
    ],
)
async def test_identification_that_is_none(
    capsys: pytest.CaptureFixture[str], reply: bytes, why: str
) -> None:
    async with device(lambda _: reply) as port:
        assert await asyncio.to_thread(main, ["--modbus", f"127.0.0.1:{port}", "--identify"]) == 1
    assert why in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["--modbus", "10.0.0.1"],
        ["--modbus", ":502"],
        ["--modbus", "10.0.0.1:modbus"],
        ["--modbus", "10.0.0.1:65536"],
        ["--bacnet", "10.0.0.1:99999", "--discover"],
        ["--bacnet", ":47808", "--discover"],
        ["--bbmd", "10.0.0.1:x", "--discover"],
    ],
)
def test_address_that_is_none_is_told_with_what_is_allowed(
    capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert main(words) == 1
    said = capsys.readouterr().err
    assert f"{words[0]} '{words[1]}'" in said
    assert "HOST" in said
