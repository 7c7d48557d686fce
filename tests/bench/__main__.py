"""`make bench`: run every *_bench.py beside this file; write build/bench.json and docs/benchmarks.md.

A bench module has `rows() -> list[dict]` with `name`, `value`, `unit` and, where compared in the same run,
`against` and `ratio`. Figures are for reading, not for passing: no test asserts them.
"""

import importlib.util
import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def _rows(path: Path) -> list[dict[str, object]]:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return list(module.rows())


def _number(cell: object) -> str:
    if cell is None:
        return ""
    return f"{cell:,.3g}" if isinstance(cell, float) else str(cell)


def _markdown(rows: list[dict[str, object]]) -> str:
    head = ("name", "value", "unit", "against", "ratio")
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench`. A ratio compares two things in one run on one machine.",
        "",
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{datetime.now(UTC).date()}.",
        "",
        "| " + " | ".join(head) + " |",
        "|---|---:|---|---|---:|",
    ]
    lines += ["| " + " | ".join(_number(row.get(h)) for h in head) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run them all, one after another, so that none measures another's load."""
    rows: list[dict[str, object]] = []
    for path in sorted(HERE.glob("*_bench.py")):
        sys.stderr.write(f"{path.stem} …\n")
        rows += _rows(path)
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build" / "bench.json").write_text(json.dumps(rows, ensure_ascii=False, indent=2))
    (ROOT / "docs" / "benchmarks.md").write_text(_markdown(rows))
    sys.stdout.write(_markdown(rows))
    return 0 if rows else 2


sys.exit(main())
