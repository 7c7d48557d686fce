"""A shown value that the push channel can refresh: what it says, how old it is, how far it may be trusted."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from dashboards import fmt
from energy_center.domain.readings import PointId, Quality
from energy_center.i18n.text import text, text_or
from energy_center.services.figures import Figure, FigureState, MoneyFigure
from energy_center.services.live_feed import LiveValue

# The server says what is stale, every two seconds; the browser only where nothing has come for this long.
STALE_AFTER_S = 180.0
_AS_GOOD_AS_WHOLE = 0.995  # rounds to 100 %
NO_FLAG = ""
RUNNING = ("off", "on")
ALARMING = ("ok", "alarm")


@dataclass(frozen=True, slots=True)
class How:
    """How a figure is made: `source` is the key of a sentence, `coverage` the measured share 0..1 or None."""

    source: str
    point_ids: tuple[PointId, ...] = ()
    coverage: float | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """One value on a page. `key` names it on the page, `point` is `<equipment>/<point>` if it is one point.

    `words` is the group of state texts, `flags` the look of states 0 and 1, `style` CSS custom properties,
    `whole` a count without decimals. `how` stays on the server until somebody asks for it.
    """

    key: str
    shown: str
    unit: str = ""
    at: datetime | None = None
    state: FigureState = FigureState.GOOD
    note: str = ""
    flag: str = NO_FLAG
    style: Mapping[str, str] = field(default_factory=dict)
    point: str = ""
    point_id: int | None = None
    ucum: str = ""
    words: str = ""
    flags: tuple[str, ...] = ()
    whole: bool = False
    stale_after_s: float = STALE_AFTER_S
    how: How | None = field(default=None, compare=False)

    def payload(self) -> dict[str, object]:
        """What the browser needs to refresh it."""
        return {
            "t": self.shown,
            "at": fmt.epoch_ms(self.at),
            "s": self.state.value,
            "f": self.flag,
            "n": self.note,
            "v": dict(self.style),
        }


def _shown(amount: float | None, ucum: str, words: str, language: str) -> str:
    if amount is None:
        return fmt.MISSING
    if words:
        return text_or(f"state_value.{words}.{amount:.0f}", language, f"{amount:.0f}")
    return fmt.number(amount, ucum)


def _flag(amount: float | None, flags: tuple[str, ...]) -> str:
    if amount is None or not flags:
        return NO_FLAG
    return flags[min(max(int(amount), 0), len(flags) - 1)]


def note_of(figure: Figure | MoneyFigure, language: str) -> str:
    """How the figure is computed, and what is known against it."""
    parts = [text(figure.source, language)]
    if figure.coverage is not None and figure.coverage < _AS_GOOD_AS_WHOLE:
        parts.append(text("overview.coverage", language, percent=f"{figure.coverage * 100:.0f}"))
    if isinstance(figure, Figure):
        parts.extend(quality_words(figure.quality, language))
    if figure.state is FigureState.STALE:
        parts.append(text("quality.stale", language))
    return " · ".join(parts)


def quality_words(quality: Quality, language: str) -> list[str]:
    """Each flag set against a reading, in words."""
    return [
        text(f"quality.{flag.name.lower()}", language) for flag in Quality if flag in quality and flag.name
    ]


def from_figure(
    key: str,
    figure: Figure,
    language: str,
    *,
    point: str = "",
    words: str = "",
    flags: tuple[str, ...] = (),
    style: Mapping[str, str] | None = None,
) -> Cell:
    """The cell of a service's figure; a figure of exactly one point can be refreshed by each reading."""
    return Cell(
        key=key,
        shown=_shown(figure.amount, figure.unit, words, language),
        unit="" if words else fmt.unit(figure.unit),
        at=figure.at,
        state=figure.state,
        note=note_of(figure, language),
        flag=_flag(figure.amount, flags),
        style=style or {},
        point=point,
        point_id=figure.point_ids[0] if point and len(figure.point_ids) == 1 else None,
        ucum=figure.unit,
        words=words,
        flags=flags,
        how=how_of(figure),
    )


def how_of(figure: Figure | MoneyFigure) -> How:
    """Where a service's figure comes from."""
    return How(figure.source.value, figure.point_ids, figure.coverage)


def from_money(key: str, figure: MoneyFigure, language: str) -> Cell:
    """The cell of an amount of money, whole units of the currency."""
    shown = fmt.MISSING if figure.amount is None else f"{figure.amount:,.0f}"
    note = note_of(figure, language)
    return Cell(key, shown, "NT$", figure.at, figure.state, note, how=how_of(figure))


def refreshed(cell: Cell, value: LiveValue, language: str) -> Cell:
    """The same cell after a newer reading of its point."""
    state = FigureState.SUSPECT if value.quality else FigureState.GOOD
    return replace(
        cell,
        shown=f"{value.reading:,.0f}"
        if cell.whole
        else _shown(value.reading, cell.ucum, cell.words, language),
        at=value.at,
        state=state,
        flag=_flag(value.reading, cell.flags),
        note=" · ".join(quality_words(value.quality, language)) or cell.note,
    )
