"""What a scored run says: rows for machines, a table for people."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from scipy.stats import chi2

from energy_center.cli import out
from energy_center.cli.detection_kinds import KINDS, Works
from energy_center.rules.backtest import Finding
from energy_center.rules.score import RuleScore, Score, wilson

TUNED_ON = (501, 502, 503, 504, 505)
# what they showed has led to changes: they prove nothing any more
SCORED_BEFORE = (4101, 4102, 4103)
TWO_HOURS_MIN = 120
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is simulated; of each fault so many of a promised size, so many smaller.

    `only` these faults, and the rules that find them; all when empty. A quick one leaves the fault-free run
    out, with it the faults that show only while something works, and the readings of ten seconds.
    """

    seeds: tuple[int, ...]
    days: int
    of_each: tuple[int, int]
    quick: bool = False
    only: frozenset[str] = frozenset()
    start: datetime = datetime(2026, 2, 6, tzinfo=UTC)  # the simulator begins five weeks before

    @property
    def end(self) -> datetime:
        """When the simulated time ends."""
        return self.start + timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The score over all seeds; `quiet`: alarms of the fault-free runs; `refused` times by fault."""

    plan: Plan
    score: Score
    quiet: tuple[Finding, ...]
    refused: Mapping[str, int]
    buildings: int

    @property
    def building_days(self) -> float:
        """Judged days of all seeds and buildings; the first of each seed only warms up."""
        return float(len(self.plan.seeds) * (self.plan.days - 1) * self.buildings)

    @property
    def quiet_rate(self) -> tuple[float, Interval]:
        """False alarms per building and day without faults, with the exact 95 % interval of Poisson's law."""
        count, days = len(self.quiet), self.building_days
        low = float(chi2.ppf(0.025, 2 * count)) / 2 / days if count else 0.0
        return count / days, (low, float(chi2.ppf(0.975, 2 * count + 2)) / 2 / days)


def report_rows(outcome: Outcome) -> list[dict[str, object]]:
    """Named figures with their units."""
    overall = outcome.score.overall
    rate, interval = outcome.quiet_rate
    named: list[tuple[str, float | None, str]] = [
        ("overall.precision", overall.precision, "1"),
        ("overall.recall", overall.recall, "1"),
        ("overall.false_alarms", overall.false_alarms / outcome.building_days, "1/(building.d)"),
        ("fault_free.false_alarms", rate, "1/(building.d)"),
        ("fault_free.false_alarms.high", interval[1], "1/(building.d)"),
        ("overall.median_delay", overall.median_delay_s, "s"),
    ]
    rows: list[dict[str, object]] = [
        {"name": name, "value": figure, "unit": unit} for name, figure, unit in named
    ]
    return [*rows, *(_rule_row(row) for row in outcome.score.rules)]


def _rule_row(row: RuleScore) -> dict[str, object]:
    counts = {k: v for k, v in asdict(row).items() if k not in {"rule_id", "delays_s"}}
    return {
        "name": row.rule_id,
        "value": row.recall,
        "unit": "1",
        "precision": row.precision,
        "recall": row.recall,
        "recall_interval": wilson(row.found, row.faults) if row.faults else None,
        "median_delay_s": row.median_delay_s,
        **counts,
    }


_FOUND = ("rule", "faults", "found", "recall", "95 %")
_HEADER = (*_FOUND, "alarms", "false", "precision", "95 %", "median delay", "smaller")


def _share(part: int, of: int) -> tuple[str | None, str | None]:
    if not of:
        return None, None
    low, high = wilson(part, of)
    return f"{part / of:.2f}", f"{low:.2f}-{high:.2f}"


def _delay(delay_s: float | None) -> str | None:
    if delay_s is None:
        return None
    minutes = delay_s / 60
    return f"{minutes:.0f} min" if minutes < TWO_HOURS_MIN else f"{minutes / 60:.1f} h"


def _cells(row: RuleScore) -> tuple[object, ...]:
    right = row.alarms - row.false_alarms
    recall, precision = _share(row.found, row.faults), _share(right, row.alarms)
    small = f"{row.small_found} of {row.small}" if row.small else None
    counts = (row.rule_id, row.faults, row.found, *recall)
    return (*counts, row.alarms, row.false_alarms, *precision, _delay(row.median_delay_s), small)


def tell(outcome: Outcome) -> None:
    """The table on the screen, with what was missed and what was false."""
    score = outcome.score
    out.table(_HEADER, [_cells(row) for row in (score.overall, *score.rules)])
    for fault in score.missed:
        out.line(f"missed: {fault.name} at {fault.equipment_id} {fault.start:%F %R} to {fault.end:%F %R}")
    for finding in score.unexplained[:50]:
        out.line(f"false: {finding.rule_id} at {finding.equipment_id} from {finding.onset_at:%F %R}")
    for finding in outcome.quiet[:50]:
        out.line(f"fault-free: {finding.rule_id} at {finding.equipment_id} from {finding.onset_at:%F %R}")
    rate, interval = outcome.quiet_rate
    out.line(f"fault-free: {rate:.4f} per building and day, 95 % {interval[0]:.4f}-{interval[1]:.4f}")


def _line(cells: Sequence[object]) -> str:
    return "| " + " | ".join("" if c is None else str(c) for c in cells) + " |"


def markdown(outcome: Outcome) -> str:
    """The page docs/detection.md."""
    score, plan = outcome.score, outcome.plan
    rate, interval = outcome.quiet_rate
    missed = [f"- {f.name} at {f.equipment_id}, {f.start:%F %R} to {f.end:%F %R} UTC" for f in score.missed]
    false = [f"- {f.rule_id} at {f.equipment_id}, {f.onset_at:%F %R} UTC" for f in score.unexplained]
    lines = [
        "# Detection of injected faults",
        "",
        *_method(plan),
        "",
        f"Fault-free, {outcome.building_days:.0f} building-days: {len(outcome.quiet)} false alarms, "
        f"{rate:.4f} per building and day (95 % interval {interval[0]:.4f} to {interval[1]:.4f}).",
        "",
        _line(_HEADER),
        _line(["---"] * len(_HEADER)),
        *(_line(_cells(row)) for row in (score.overall, *score.rules)),
        "",
        "Intervals are Wilson's, of 95 %. A delay runs from the fault's true start, hours in which the",
        "equipment stands included. `smaller`: found of those below the promised size, counted nowhere else.",
        "",
        *_sizes(outcome),
        "",
        "## Missed",
        "",
        *(missed or ["None."]),
        "",
        "## Alarms that nothing explains",
        "",
        *(false or ["None."]),
        "",
    ]
    return "\n".join(lines)


def _method(plan: Plan) -> list[str]:
    groups = (plan.seeds, TUNED_ON, SCORED_BEFORE)
    seeds, tuned, before = (", ".join(str(seed) for seed in group) for group in groups)
    large, small = plan.of_each
    return [
        "Made by `make detection`: the rules over simulated history with faults at random times,",
        "places and sizes, scored against the truth. Different faults may overlap, at one equipment too.",
        f"Seeds {seeds}, {plan.days} days each from {plan.start:%F}; {large} of each fault of a promised",
        f"size and {small} smaller ones a seed; readings every 5 min, of generators and fire panels 10 s.",
        f"Rules and sizes were tuned on the seeds {tuned} alone.",
        f"The seeds {before} were scored before; rules changed after it, so they are not used again.",
        "",
        "A fault shows only while its equipment works. Times are drawn at random and refused when, in the",
        "fault-free run of the same seed, the equipment works for less than the hours stated below during",
        "the fault; the test reads the simulated truth and asks no rule. Hours in which an injected fault",
        "falsifies the one reading that shows it do not count: no water balance tells a leak while the level",
        "hangs, and the hanging level is itself to be found. The refused draws are counted: a",
        "real plant has such faults too, and nobody can see them before the equipment is needed. The",
        "figures hold for this simulator's two buildings, whose sensors are better than many real ones.",
    ]


def _sizes(outcome: Outcome) -> list[str]:
    rows = [
        _line(["fault", "promised from", "full size", "shows only if for", "draws refused"]),
        _line(["---"] * 5),
    ]
    for name, kind in KINDS.items():
        size = kind.size
        least, full = (None, None) if size is None else (f"{size.least:g} {size.unit}", f"{size.full:g}")
        works = None if kind.works is None else _in_words(kind.works)
        if kind.hidden_by:
            works = f"{works or ''}; not during {', '.join(kind.hidden_by)}"
        rows.append(_line([name, least, full, works, outcome.refused.get(name, 0)]))
    return rows


def _in_words(works: Works) -> str:
    parts = []
    for need in works.needs:
        name = need.signal if need.minus is None else f"{need.signal} less {need.minus[1]}"
        name = f"rise in {need.rise_h:g} h of {name}" if need.rise_h else name
        limits = [
            f"{sign} {limit:g}"
            for sign, limit in (("above", need.above), ("below", need.below), ("apart by", need.apart))
            if limit is not None
        ]
        parts.append(f"{name} {' and '.join(limits)}")
    return f"{works.hours:g} h: {', '.join(parts)}"
