"""What a measure of the catalogue is: its words, its numbers with their origin, and what it finds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from energy_center.analysis.insufficient import Insufficient
from energy_center.domain.site import Text
from energy_center.suggestions.history import Floats, History

LEAST_COVERAGE = 0.8  # of the year that a figure a year is made from
GOOD_COVERAGE = 0.95


class Effort(StrEnum):
    """What it takes: a setting, some weeks and a contractor, or an investment."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Confidence(StrEnum):
    """How far the figure is to be relied on."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Kind(StrEnum):
    """What a measure changes, for the filter of the list."""

    OPERATION = "operation"
    PLANT = "plant"
    BILL = "bill"
    REPAIR = "repair"
    INVESTMENT = "investment"
    WATER = "water"


@dataclass(frozen=True, slots=True)
class Number:
    """A parameter: default, UCUM unit and where it is from."""

    name: str
    default: float
    unit: str
    source: str


@dataclass(frozen=True, slots=True)
class MeasureTexts:
    """What people read, in one language. `note` is about comfort and safety."""

    name: str
    why: str
    steps: tuple[str, ...]
    note: str
    made: str  # how the figure is made


@dataclass(frozen=True, slots=True)
class Measure:
    """A kind of saving; `needs` says in words what it reads."""

    measure_id: str
    kind: Kind
    effort: Effort
    needs: tuple[str, ...]
    source: str
    numbers: tuple[Number, ...]
    texts: Mapping[str, MeasureTexts]

    def defaults(self) -> dict[str, float]:
        """Parameters by name."""
        return {n.name: n.default for n in self.numbers}


@dataclass(frozen=True, slots=True)
class Bars:
    """Evidence by label: what is, and what would be."""

    unit: str
    labels: tuple[str, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """Energy of a meter at other times: kWh taken and given a quarter-hour, shape (n,)."""

    meter_id: str
    taken: Floats
    given: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """One saving found. `saved`: kWh a quarter-hour by meter, never above what the meter counted.

    `money_ntd` is for what changes the bill alone; of one `slot` only the largest counts. `figures` carry
    their unit in the name.
    """

    subject_id: str
    coverage: float
    confidence: Confidence
    reason: Text
    saved: Mapping[str, Floats] = field(default_factory=dict)
    moves: tuple[Move, ...] = ()
    money_ntd: float | None = None
    slot: str = ""
    water_m3: float | None = None
    cost_ntd: float | None = None
    figures: Mapping[str, float] = field(default_factory=dict)
    bars: Bars | None = None
    alarm_id: int | None = None


Found = tuple[Draft, ...] | Insufficient
Find = Callable[[History, Mapping[str, float]], Found]


@dataclass(frozen=True, slots=True)
class Entry:
    """A measure with its function."""

    measure: Measure
    find: Find


def by_coverage(coverage: float, best: Confidence) -> Confidence:
    """The confidence, one step lower where part of the year is not measured."""
    if coverage >= GOOD_COVERAGE or best is Confidence.LOW:
        return best
    return Confidence.LOW if best is Confidence.MEDIUM else Confidence.MEDIUM


def too_little(what: str, coverage: float) -> Insufficient:
    """The usual reason for no answer."""
    return Insufficient((f"{what}: {coverage:.0%} of the year is measured, {LEAST_COVERAGE:.0%} are needed",))
