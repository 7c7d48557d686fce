"""What a rule is: its inputs, parameters, texts in both languages and cases. Detection stands beside it.

A catalogue module has `RULE = Rule(...)`, `detect(frame, p) -> Verdict`, and may have
`saving(frame, mask, p) -> Waste`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from energy_center.domain.alarms import Priority
from energy_center.domain.quantities import Role
from energy_center.domain.site import Text
from energy_center.rules.window import Frame, Mask, Signal

Parameters = Mapping[str, float]

# a rule that looks back farther reads quarter-hours in place of readings, live as in a backtest
LONGEST_ON_READINGS_S = 30 * 86_400.0
WAY_BACK = 0.1  # hysteresis: share of the limit by which a figure must have come back


class Where(StrEnum):
    """Where an input's point is looked for, seen from the equipment that the rule watches."""

    OWN = "own"  # a point of the equipment itself
    PARTS = "parts"  # equipment `part_of` it or fed by it, else read through the same device
    COLD_USERS = "cold_users"  # what the chilled-water system of its building feeds
    SITE = "site"  # any equipment of the same building, else of the site
    CONNECTION = "connection"  # all of this role behind its connection, three or more; at the first device
    DEVICE = "device"  # whether its device answers: no point, but the device's state
    DEVICES = "devices"  # the same for all devices behind a connection; only at the first of several
    SIBLINGS = "siblings"  # the same for the other devices behind its connection


class Path(StrEnum):
    """A way on which one thing's trouble makes alarms of what lies behind it of no use."""

    DATA = "data"  # gateway -> device -> equipment
    POWER = "power"  # what feeds it, by `fed_by`
    THERMAL = "thermal"  # plant -> air handler -> zone
    SENSOR = "sensor"  # a faulty sensor before the process that it watches


class Of(StrEnum):
    """Whose attribute gives a parameter its value."""

    EQUIPMENT = "equipment"
    METERED_SPACE = "metered_space"


@dataclass(frozen=True, slots=True)
class Input:
    """A series that the rule reads; `many` gathers all there are, `optional` lets the rule run without."""

    name: str
    role: Role | None = None
    where: Where = Where.OWN
    many: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number of the rule with its unit and origin; a site or an equipment may override it.

    With `attribute`, the equipment's (or the metered space's) attribute goes before the default; a rule whose
    parameter has neither does not apply to that equipment.
    """

    name: str
    default: float | None
    unit: str
    source: str
    attribute: str | None = None
    of: Of = Of.EQUIPMENT


@dataclass(frozen=True, slots=True)
class RuleTexts:
    """What people read about a finding, in one language."""

    name: str
    likely_causes: tuple[str, ...]
    what_to_check: tuple[str, ...]
    safety: str
    suggestion: str


class Expect(StrEnum):
    """The state that a case expects at a step."""

    NORMAL = "normal"
    PENDING = "pending"
    ACTIVE = "active"


@dataclass(frozen=True, slots=True)
class Case:
    """Input series in a compact notation and the states they must lead to.

    `series[input]` is like `"0x10 5x3 ?x2 7"`: a value held for a number of steps, `?` where no reading came.
    `expect` lists (minutes after the start, state). `parameters` override the defaults. Series of a counter
    are its register. `starts` is an ISO instant, for rules that look at the clock.
    """

    name: str
    series: Mapping[str, str]
    expect: tuple[tuple[float, Expect], ...]
    parameters: Mapping[str, float] = field(default_factory=dict)
    step_s: float = 60.0
    starts: str = "2026-07-01T02:00:00+00:00"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Per step: does the fault stand, and, once raised, does it still (the limit with hysteresis)?"""

    condition: Mask
    still: Mask | None = None
    # figures of each step by name (with the unit in it), for the alarm's evidence
    figures: Mapping[str, Signal] = field(default_factory=dict)

    @classmethod
    def above(
        cls,
        figure: Signal,
        limit: float,
        figures: Mapping[str, Signal],
        where: Mask | None = None,
        besides: Mask | None = None,
    ) -> "Verdict":
        """Stands above the limit, and still does until the figure has come 10 % below it.

        It applies where `where` is true; `besides` must be true too, else it does not stand.
        """
        still = figure > (1.0 - WAY_BACK) * limit
        return cls(_judged(figure > limit, where, besides), _judged(still, where, besides), figures)

    @classmethod
    def below(
        cls,
        figure: Signal,
        limit: float,
        figures: Mapping[str, Signal],
        where: Mask | None = None,
        besides: Mask | None = None,
    ) -> "Verdict":
        """Stands below the limit, and still does until the figure has come 10 % above it."""
        still = figure < (1.0 + WAY_BACK) * limit
        return cls(_judged(figure < limit, where, besides), _judged(still, where, besides), figures)


def _judged(mask: Mask, where: Mask | None, besides: Mask | None) -> Mask:
    whole = mask if besides is None else mask & besides
    return whole if where is None else whole.where(where)


@dataclass(frozen=True, slots=True)
class Waste:
    """Energy in kWh and water in m3 wasted in the steps where the fault stood, and how it was reckoned."""

    energy_kwh: float | None = None
    water_m3: float | None = None
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A fault that can be seen in series of readings.

    `hold_s`: known-true time before raising; `keep_s`: known-false time before returning; `lookback_s`: how
    far before a step the detection looks, so that a live window can be as short as that. `fault` names the
    simulated faults that it must find, `also` those that may rightly raise it though another rule finds them.
    `hides`: while its alarm stands, alarms that lie behind it on these paths are suppressed by design;
    `needs_cold`: it says "does not reach its set-point", which it cannot without cold water or air.
    """

    rule_id: str
    subject: str
    inputs: tuple[Input, ...]
    parameters: tuple[Parameter, ...]
    hold_s: float
    keep_s: float
    priority: Priority
    source: str
    fault: tuple[str, ...]
    texts: Mapping[str, RuleTexts]
    cases: tuple[Case, ...]
    step_s: float = 60.0
    lookback_s: float = 0.0
    classes: frozenset[str] = frozenset()
    also: tuple[str, ...] = ()
    hides: frozenset[Path] = frozenset()
    needs_cold: bool = False

    @property
    def reads_quarters(self) -> bool:
        """Whether it learns from so long a past that it reads quarter-hours in place of readings."""
        return self.lookback_s > LONGEST_ON_READINGS_S

    def name(self) -> Text:
        """The rule's name in both languages."""
        return Text(zh_tw=self.texts["zh-TW"].name, en=self.texts["en"].name)

    def input(self, name: str) -> Input:
        """The input of this name."""
        return next(i for i in self.inputs if i.name == name)


Detect = Callable[[Frame, Parameters], Verdict]
ReckonWaste = Callable[[Frame, Mask, Parameters], Waste]


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A rule with its functions, as found in the catalogue."""

    rule: Rule
    detect: Detect
    saving: ReckonWaste | None = None
