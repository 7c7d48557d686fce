"""A small curve without axes: the shape of the last day behind a headline figure."""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote

from dash import html
from dash.development.base_component import Component

_WIDTH, _HEIGHT, _PAD = 480.0, 56.0, 3.0


def _runs(
    at: Sequence[datetime], amounts: Sequence[float | None], start: datetime, end: datetime
) -> list[list[tuple[float, float]]]:
    """Pixel runs between the gaps; the scale starts at zero, so that heights may be compared."""
    known = [a for a in amounts if a is not None]
    top, bottom = max([*known, 0.0]) or 1.0, min([*known, 0.0])
    seconds = (end - start).total_seconds()
    runs: list[list[tuple[float, float]]] = [[]]
    for when, amount in zip(at, amounts, strict=True):
        if amount is None:
            runs.append([])
            continue
        x = _WIDTH * (when - start).total_seconds() / seconds
        y = _HEIGHT - _PAD - (_HEIGHT - 2 * _PAD) * (amount - bottom) / (top - bottom)
        runs[-1].append((x, y))
    return [run for run in runs if len(run) > 1]


def _svg(body: str) -> str:
    drawing = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {_WIDTH:.0f} {_HEIGHT:.0f}' "
        f"preserveAspectRatio='none'>{body}</svg>"
    )
    return f'url("data:image/svg+xml,{quote(drawing)}")'


def _points(run: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in run)


def sparkline(
    at: Sequence[datetime], amounts: Sequence[float | None], start: datetime, end: datetime, label: str
) -> Component:
    """Drawn as a mask over a themed colour, so that it follows light and dark without being drawn again."""
    runs = _runs(at, amounts, start, end)
    line = "".join(
        f"<polyline points='{_points(run)}' fill='none' stroke='black' stroke-width='1.6' "
        "vector-effect='non-scaling-stroke' stroke-linejoin='round'/>"
        for run in runs
    )
    area = "".join(
        f"<polygon points='{run[0][0]:.1f},{_HEIGHT} {_points(run)} {run[-1][0]:.1f},{_HEIGHT}'/>"
        for run in runs
    )
    return html.Div(
        [
            html.Div("", className="area", style={"maskImage": _svg(area), "WebkitMaskImage": _svg(area)}),
            html.Div("", className="stroke", style={"maskImage": _svg(line), "WebkitMaskImage": _svg(line)}),
        ],
        className="sparkline",
        role="img",
        **{"aria-label": label},
    )
