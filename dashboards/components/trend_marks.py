"""Lines across a trend: moments (an alarm's onset, its end) and limits (what a rule compares with)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from dashboards import fmt
from dashboards.theme.tokens import DARK, LIGHT

_LABEL_STEP = 0.09  # share of the chart's height: moments close together must not write over one another


@dataclass(frozen=True, slots=True)
class Moment:
    """A vertical line with its words; `colour` names a token of the theme."""

    at: datetime
    label: str
    colour: str = "text"


@dataclass(frozen=True, slots=True)
class Limit:
    """A horizontal line for the series of this unit (UCUM code)."""

    amount: float
    unit: str
    label: str


def local(at: datetime, zone: ZoneInfo) -> str:
    """Plotly draws a time without a zone as it stands: the site's wall clock."""
    return at.astimezone(zone).replace(tzinfo=None).isoformat(timespec="seconds")


def lines(
    moments: Sequence[Moment], limits: Sequence[Limit], units: Sequence[str], zone: ZoneInfo, theme: str
) -> dict[str, Any]:
    """The layout's `shapes` and `annotations`; a limit in a unit that is not drawn is left out."""
    tokens = DARK if theme == "dark" else LIGHT
    shapes: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    for number, moment in enumerate(moments):
        x, colour = local(moment.at, zone), tokens[moment.colour]
        shapes.append(_line(colour, "dot", x0=x, x1=x, y0=0, y1=1, yref="paper"))
        notes.append(
            _words(moment.label, colour, x=x, y=1 - number * _LABEL_STEP, yref="paper", xanchor="right")
        )
    for limit in limits:
        if limit.unit not in units:
            continue
        axis = "y" if units.index(limit.unit) == 0 else "y2"
        words = f"{limit.label} {fmt.number(limit.amount, limit.unit)} {fmt.unit(limit.unit)}".strip()
        y = limit.amount
        shapes.append(_line(tokens["p1"], "dash", x0=0, x1=1, xref="paper", y0=y, y1=y, yref=axis))
        notes.append(
            _words(words, tokens["p1"], x=0, xref="paper", y=y, yref=axis, xanchor="left", yanchor="bottom")
        )
    return {"shapes": shapes, "annotations": notes}


def _line(colour: str, dash: str, **where: object) -> dict[str, Any]:
    return {"type": "line", "line": {"color": colour, "width": 1.6, "dash": dash}, **where}


def _words(words: str, colour: str, **where: object) -> dict[str, Any]:
    return {
        "text": words,
        "showarrow": False,
        "font": {"color": colour, "size": 12},
        "yanchor": "top",
        "borderpad": 2,
        **where,
    }
