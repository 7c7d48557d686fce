"""`make bench`: run every *_bench.py beside this file; write build/bench.json and docs/benchmarks.md.

A bench module has `rows() -> list[dict]` with `name`, `value`, `unit` and, where compared in the same run,
`against` and `ratio`; where something is aimed at, a `goal` such as ">= 12,000", or ">= 0.65x" of the ratio.
Rows stand under the module's `GROUP`, or their own `group`; its docstring says how they were measured.
`python -m tests.bench mqtt store` runs those alone and writes nothing. No test asserts a figure.
"""

import importlib
import json
import operator
import os
import platform
import re
import sys
import time
import traceback
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
COLUMNS = ("name", "value", "unit", "against", "ratio", "goal", "met?")
COMPARED = {">=": operator.ge, "<=": operator.le}
_GOAL = re.compile(r"(>=|<=) ([\d.,]+)(x?)")
Row = dict[str, object]


def is_met(row: Row) -> bool | None:
    """Whether a row reaches its goal; None where it has none, or was not measured."""
    if row.get("goal") is None:
        return None
    said = _GOAL.fullmatch(str(row["goal"]))
    if said is None:
        raise ValueError(f"{row['name']}: the goal is {row['goal']!r}; allowed: '>= 1,000', '<= 5', '>= 2x'")
    found = row.get("ratio" if said[3] else "value")
    return None if found is None else bool(COMPARED[said[1]](found, float(said[2].replace(",", ""))))


def _number(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and abs(cell) < 1000:
        return f"{cell:.3g}"
    return f"{cell:,.0f}" if isinstance(cell, int | float) else str(cell)


def _line(row: Row) -> str:
    met = {True: "yes", False: "**no**", None: ""}[is_met(row)]
    return "| " + " | ".join([*(_number(row.get(c)) for c in COLUMNS[:-1]), met]) + " |"


def _table(rows: Iterable[Row]) -> list[str]:
    return [
        "| " + " | ".join(COLUMNS) + " |",
        "|---|---:|---|---|---:|---:|---|",
        *(_line(row) for row in rows),
        "",
    ]


def _machine() -> str:
    models = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    processor = models[0] if models else platform.machine()
    return (
        f"{processor}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}."
    )


def _markdown(groups: dict[str, tuple[str, list[Row]]]) -> str:
    goals = [is_met(row) for _, rows in groups.values() for row in rows if row.get("goal") is not None]
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench`. A ratio compares two things in one run on one machine; a goal that ends in",
        "x is one for the ratio. Absolute figures hold for this machine alone.",
        "",
        _machine() + f" {sum(goal is True for goal in goals)} of {len(goals)} goals are met.",
        "",
    ]
    for title, (measured, rows) in groups.items():
        lines += [f"## {title}", "", *([measured, ""] if measured else []), *_table(rows)]
    return "\n".join(lines)


def _measured(stem: str) -> tuple[str, str, list[Row]]:
    """A module's group, how it measures, and its rows; a module that fails is a row that says so."""
    module = importlib.import_module(f"tests.bench.{stem}")
    short = stem.removesuffix("_bench")
    group = getattr(module, "GROUP", short.capitalize())
    try:
        rows = list(module.rows())
    except Exception as cause:  # noqa: BLE001  the other modules are measured all the same
        traceback.print_exc()
        rows = [
            {"name": short, "value": None, "unit": "", "against": f"not measured: {cause!r}", "failed": True}
        ]
    return group, (module.__doc__ or "").strip(), rows


def main(only: list[str]) -> int:
    """Run them one after another, so that none measures another's load; 1 when one could not be run."""
    groups: dict[str, tuple[str, list[Row]]] = {}
    for path in sorted(HERE.glob("*_bench.py")):
        if only and path.stem.removesuffix("_bench") not in only:
            continue
        began = time.monotonic()
        sys.stderr.write(f"{path.stem} … ")
        sys.stderr.flush()
        group, measured, rows = _measured(path.stem)
        for row in rows:
            title = str(row.get("group", group))
            groups.setdefault(title, (measured if title == group else "", []))[1].append(row)
        sys.stderr.write(f"{time.monotonic() - began:.0f} s\n")
    told = _markdown(groups)
    everything = [{"group": title, **row} for title, (_, rows) in groups.items() for row in rows]
    if not only:
        (ROOT / "build").mkdir(exist_ok=True)
        (ROOT / "build" / "bench.json").write_text(json.dumps(everything, ensure_ascii=False, indent=2))
        (ROOT / "docs" / "benchmarks.md").write_text(told)
    sys.stdout.write(told)
    return 1 if not everything or any(row.get("failed") for row in everything) else 0


sys.exit(main(sys.argv[1:]))
