"""The one place that writes to standard output: plain lines for people, JSON for programs."""

import json
import sys
from collections.abc import Mapping, Sequence


def line(text: str = "") -> None:
    """Write one line."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def error(text: str) -> None:
    """Write one line to standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def as_json(document: object) -> None:
    """Write one JSON document; times and other values become text."""
    line(json.dumps(document, ensure_ascii=False, indent=2, default=str))


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write rows as aligned columns."""
    cells = [list(header), *[["" if v is None else str(v) for v in row] for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    for row in cells:
        line("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def fields(facts: Mapping[str, object]) -> None:
    """Write `name: fact` lines."""
    for name, fact in facts.items():
        line(f"{name}: {fact}")
