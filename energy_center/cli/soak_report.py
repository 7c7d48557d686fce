"""What the long runs say: parts with figures and goals, kept in build/soak.json, shown in docs/soak.md."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number with its unit, and whether it is as it must be (always, where nothing is asked)."""

    name: str
    number: float
    unit: str
    goal: str = ""
    ok: bool = True


@dataclass(frozen=True, slots=True)
class SoakPart:
    """One long run. `series`: its course, as rows under `columns`."""

    name: str
    made_at: str
    minutes: float
    workload: str
    figures: Sequence[Figure]
    columns: Sequence[str] = ()
    series: Sequence[Sequence[float]] = ()

    @property
    def ok(self) -> bool:
        """Whether every figure is as it must be."""
        return all(figure.ok for figure in self.figures)


def keep(part: SoakPart, build: Path, docs: Path) -> None:
    """Put a part in the place of its last run, and write the page of all parts anew."""
    build.mkdir(parents=True, exist_ok=True)
    docs.mkdir(parents=True, exist_ok=True)
    written = build / "soak.json"
    parts = json.loads(written.read_text(encoding="utf-8")) if written.exists() else {}
    parts[part.name] = asdict(part) | {"figures": [asdict(figure) for figure in part.figures]}
    written.write_text(json.dumps(parts, indent=2) + "\n", encoding="utf-8")
    known = [_read(parts[name]) for name in ("kills", "drain", "memory") if name in parts]
    (docs / "soak.md").write_text(as_page(known), encoding="utf-8")


def _read(written: dict[str, object]) -> SoakPart:
    figures = written.pop("figures")
    if not isinstance(figures, list):
        raise TypeError("figures are a list")
    return SoakPart(figures=[Figure(**figure) for figure in figures], **written)  # type: ignore[arg-type]  # as it was written above


def as_page(parts: Sequence[SoakPart]) -> str:
    """The page `docs/soak.md`."""
    lines = [
        "# Long runs",
        "",
        "Written by `make soak`; `energy-center soak --part NAME` runs one part, `--minutes` or `--kills` a "
        "shorter one. Absolute figures hold for the machine that made them.",
    ]
    for part in parts:
        lines += ["", f"## {part.name.capitalize()}", ""]
        lines += [f"{part.workload} Made on {part.made_at} UTC in {part.minutes:.0f} min.", ""]
        lines += ["| what | measured | goal | verdict |", "|---|---:|---|---|"]
        lines += [
            f"| {f.name} | {f'{f.number:,.10g} {f.unit}'.strip()} | {f.goal} | {_verdict(f)} |"
            for f in part.figures
        ]
        if part.series:
            lines += ["", f"| {' | '.join(part.columns)} |", f"|{'---:|' * len(part.columns)}"]
            lines += [f"| {' | '.join(f'{n:,.10g}' for n in row)} |" for row in part.series]
    return "\n".join([*lines, ""])


def _verdict(figure: Figure) -> str:
    if not figure.ok:
        return "NOT OK"
    return "ok" if figure.goal else ""
