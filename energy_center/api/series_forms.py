"""A stream of series as JSON, CSV or Arrow, piece by piece.

Arrow is written with nanoarrow: 1.2 MB, where pyarrow is 55 MB, for the one thing that is needed here.
"""

import asyncio
import csv
import io
import json
import math
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import nanoarrow
import numpy as np
from nanoarrow.c_array import c_array_from_buffers
from nanoarrow.ipc import StreamWriter
from numpy.typing import NDArray

from energy_center.services.stream_series import Block, SeriesPlan, Wanted

COLUMNS = ("at", "value", "low", "high", "consumption", "coverage", "quality")
_FLOATS = {"value": "value", "low": "low", "high": "high", "consumption": "delta", "coverage": "coverage"}
Pieces = AsyncIterator[bytes]
Blocks = AsyncIterator[Block]


async def as_json(plan: SeriesPlan, blocks: Blocks) -> Pieces:
    """One document; the rows of a point are arrays in the order of `columns`."""
    head: dict[str, object] = {
        "start": plan.start.isoformat(),
        "end": plan.end.isoformat(),
        "time_zone": plan.zone.key,
    }
    head["columns"] = COLUMNS
    yield _json(head)[:-1] + b', "series": ['
    before: Wanted | None = None
    is_first = True
    async for block in blocks:
        if block.wanted is not before:
            yield (b"" if before is None else b"]}, ") + _json(described(block.wanted))[:-1] + b', "rows": ['
            before, is_first = block.wanted, True
        if len(block):
            rows = await asyncio.to_thread(_json_rows, block, plan.zone)
            yield (b"" if is_first else b",\n") + rows
            is_first = False
    yield b"]}" * (before is not None) + b"]}\n"


async def as_csv(plan: SeriesPlan, blocks: Blocks) -> Pieces:
    """One table; a gap is a row whose value is empty."""
    yield _lines([("point_id", "equipment_id", "point", "role", "unit", *COLUMNS)])
    async for block in blocks:
        yield await asyncio.to_thread(_csv_rows, block, plan.zone)


async def as_arrow(plan: SeriesPlan, blocks: Blocks) -> Pieces:
    """An Arrow IPC stream, a record batch a block; metadata `points` of its schema says what they are."""
    sink = io.BytesIO()
    schema = _arrow_schema(plan)
    writer = StreamWriter.from_writable(sink)
    async for block in blocks:
        await asyncio.to_thread(_write_arrow, writer, block, schema)
        yield _drained(sink)
    writer.close()
    yield _drained(sink)


FORMS: dict[str, tuple[Callable[[SeriesPlan, Blocks], Pieces], str]] = {
    "json": (as_json, "application/json"),
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "arrow": (as_arrow, "application/vnd.apache.arrow.stream"),
}


def described(wanted: Wanted) -> dict[str, object]:
    """What a point is, as every form says it."""
    point = wanted.point
    return {
        "point_id": point.point_id,
        "equipment_id": wanted.equipment.equipment_id,
        "name": point.name,
        "role": point.role.value,
        "kind": point.kind.value,
        "unit": point.unit,
        "resolution": wanted.grain.value,
        "step_s": wanted.step_s,
    }


def _json(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def _rows(block: Block, zone: ZoneInfo) -> list[tuple[object, ...]]:
    at = [
        datetime.fromtimestamp(us / 1e6, UTC).astimezone(zone).isoformat() for us in block.rows.at_us.tolist()
    ]
    floats = (getattr(block.rows, name).tolist() for name in _FLOATS.values())
    return list(zip(at, *floats, block.rows.quality.tolist(), strict=True))


def _json_rows(block: Block, zone: ZoneInfo) -> bytes:
    return msgspec.json.encode(_rows(block, zone))[1:-1]  # a float that is no number becomes null


def _csv_rows(block: Block, zone: ZoneInfo) -> bytes:
    d = described(block.wanted)
    what = (d["point_id"], d["equipment_id"], d["name"], d["role"], d["unit"])
    rows = ((at, *(_cell(v) for v in values), quality) for at, *values, quality in _rows(block, zone))
    return _lines([(*what, *row) for row in rows])


def _cell(value: object) -> object:
    return "" if isinstance(value, float) and math.isnan(value) else value


def _lines(rows: list[tuple[object, ...]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _arrow_schema(plan: SeriesPlan) -> nanoarrow.Schema:
    fields = {
        "point_id": nanoarrow.int32(nullable=False),
        "at": nanoarrow.timestamp("us", plan.zone.key, nullable=False),
        **{name: nanoarrow.float64() for name in _FLOATS},
        "quality": nanoarrow.int16(nullable=False),
    }
    points = _json([described(wanted) for wanted in plan.wanted])
    return nanoarrow.Schema(nanoarrow.struct(fields), metadata={b"points": points})


def _write_arrow(writer: StreamWriter, block: Block, schema: nanoarrow.Schema) -> None:
    writer.write_array(_arrow_rows(block, schema))


def _arrow_rows(block: Block, schema: nanoarrow.Schema) -> object:
    n = len(block)
    fields = [schema.field(i) for i in range(schema.n_fields)]
    point_id = np.full(n, block.wanted.point.point_id, np.int32)
    columns: list[object] = [
        c_array_from_buffers(fields[0], n, [None, point_id], 0),
        c_array_from_buffers(fields[1], n, [None, np.ascontiguousarray(block.rows.at_us)], 0),
    ]
    for field, name in zip(fields[2:-1], _FLOATS.values(), strict=True):
        values: NDArray[np.float64] = np.ascontiguousarray(getattr(block.rows, name))
        known = np.packbits(~np.isnan(values), bitorder="little")
        columns.append(c_array_from_buffers(field, n, [known, values], int(np.isnan(values).sum())))
    columns.append(c_array_from_buffers(fields[-1], n, [None, np.ascontiguousarray(block.rows.quality)], 0))
    return c_array_from_buffers(schema, n, [None], 0, children=columns)


def _drained(sink: io.BytesIO) -> bytes:
    piece = sink.getvalue()
    sink.seek(0)
    sink.truncate()
    return piece
