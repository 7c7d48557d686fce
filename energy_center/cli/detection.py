"""`energy-center detection`: how well the rules find injected faults, without a database."""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from energy_center.cli import out
from energy_center.cli.detection_plan import draw
from energy_center.cli.detection_run import Scenario, bindings, judge, numbered, simulate
from energy_center.config.load_site import load_site
from energy_center.domain.site import Site
from energy_center.rules.backtest import Finding
from energy_center.rules.find_rules import rules
from energy_center.rules.score import RuleScore, Score, TrueFault, score
from energy_center.settings import PROJECT_ROOT

SUMMARY = "score the rules against injected faults"
SITE_FILE = PROJECT_ROOT / "energy_center" / "config" / "demo" / "taichung.yaml"
SIMULATOR_SITE = PROJECT_ROOT / "simulators" / "sites" / "taichung.yaml"
REPORT = PROJECT_ROOT / "build" / "detection.json"
TABLE = PROJECT_ROOT / "docs" / "detection.md"
START = datetime(2026, 6, 1, tzinfo=UTC)
STEP_S = 300
# a fault explains alarms until this long after its end: the longest keep
SLACK = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is simulated."""

    seeds: tuple[int, ...]
    days: int
    of_each: int


# seeds that no parameter was tuned on
LONG = Plan(seeds=(2031, 2032, 2033), days=120, of_each=4)
SHORT = Plan(seeds=(101,), days=21, of_each=1)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("--short", action="store_true", help="one seed and three weeks, for the test suite")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--json", type=Path, default=REPORT, help="where the scores go")
    parser.add_argument("--table", type=Path, help="where the table goes (docs/detection.md of a long run)")
    parser.add_argument("--healthy", action="store_true", help="inject nothing: every alarm is a false one")


def run(args: argparse.Namespace) -> int:
    """Simulate, judge, score; 1 when precision or recall is under 0.9."""
    plan = SHORT if args.short else LONG
    result, building_days = _score(plan, healthy=args.healthy)
    rows = _rows(result, building_days)
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    table = args.table or (None if args.short or args.healthy else TABLE)
    if table is not None:
        table.parent.mkdir(parents=True, exist_ok=True)
        table.write_text(_markdown(result, plan, building_days), encoding="utf-8")
    if args.format == "json":
        out.as_json(rows)
    else:
        _tell(result)
    shares = (result.overall.precision, result.overall.recall)
    return 0 if all(share is None or share >= _ENOUGH for share in shares) else 1


_ENOUGH = 0.9
_PLANT = "Chilled_Water_System"


def _score(plan: Plan, *, healthy: bool) -> tuple[Score, float]:
    site = numbered(load_site(SITE_FILE).site)
    bound, zone = bindings(site, STEP_S), ZoneInfo(site.time_zone)
    finds = {entry.rule.rule_id: entry.rule.fault for entry in rules().values()}
    excuses = {entry.rule.rule_id: entry.rule.also for entry in rules().values()}
    names = frozenset(name for found in finds.values() for name in found)
    findings: list[Finding] = []
    truth: list[TrueFault] = []
    for number, seed in enumerate(plan.seeds):
        # each seed has a season of its own, so that findings of different seeds never meet
        start = START + timedelta(days=200 * number)
        scenario = Scenario(SIMULATOR_SITE, seed, start, start + timedelta(days=plan.days), STEP_S)
        injected = (
            []
            if healthy
            else draw(seed, start + timedelta(days=2), scenario.end - timedelta(days=2), plan.of_each, names)
        )
        past = simulate(site, bound, scenario, injected)
        for backtest in judge(bound, past, scenario, zone):
            findings += backtest.findings
        truth += past.truth
    related = _relation(site)
    result = score(findings, truth, finds, related, SLACK, excuses, _near(site, related))
    return result, float(len(plan.seeds) * plan.days * len(site.buildings))


def _near(site: Site, related: Callable[[str, str], bool]) -> Callable[[str, str], bool]:
    """Whether an alarm and a fault are related, or stand in one building."""
    building = {e.equipment_id: site.building_of(e.space_id) for e in site.equipment}
    return lambda alarm, fault: related(alarm, fault) or building.get(alarm) == building.get(fault)


def _relation(site: Site) -> Callable[[str, str], bool]:
    """Whether an alarm at one equipment may stem from a fault at another (or behind a connection)."""
    by_id = {e.equipment_id: e for e in site.equipment}
    building = {e.equipment_id: site.building_of(e.space_id) for e in site.equipment}

    def related(alarm_at: str, fault_at: str) -> bool:
        alarm, fault = by_id.get(alarm_at), by_id.get(fault_at)
        if alarm is None:
            return False
        if fault is None:
            return fault_at == alarm.connection_id
        if alarm_at == fault_at or fault_at in {alarm.fed_by, alarm.device_id}:
            return True
        source = by_id.get(fault.fed_by or "")
        plant = _PLANT in {fault.brick_class, source.brick_class if source else ""}
        fed = alarm_at == fault.fed_by or _above(fault_at, alarm_at)
        return fed or (plant and building[alarm_at] == building[fault_at])

    def _above(start: str, wanted: str) -> bool:
        at = by_id.get(start)
        while at is not None and at.fed_by is not None:
            if at.fed_by == wanted:
                return True
            at = by_id.get(at.fed_by)
        return False

    return related


def _rows(result: Score, building_days: float) -> list[dict[str, object]]:
    overall = result.overall
    named: list[tuple[str, float | None, str]] = [
        ("overall.precision", overall.precision, "1"),
        ("overall.recall", overall.recall, "1"),
        ("overall.false_alarms", overall.false_alarms / building_days, "1/(building.d)"),
        ("overall.median_delay", overall.median_delay_s, "s"),
    ]
    rows: list[dict[str, object]] = [
        {"name": name, "value": figure, "unit": unit} for name, figure, unit in named
    ]
    return [*rows, *(_rule_row(row) for row in result.rules)]


def _rule_row(row: RuleScore) -> dict[str, object]:
    return {
        "name": row.rule_id,
        "value": row.recall,
        "unit": "1",
        "precision": row.precision,
        "recall": row.recall,
        **{k: v for k, v in asdict(row).items() if k != "rule_id"},
    }


_HEADER = ("rule", "faults", "found", "recall", "alarms", "false", "precision", "median delay")


def _cells(row: RuleScore) -> tuple[object, ...]:
    delay = None if row.median_delay_s is None else f"{row.median_delay_s / 60:.0f} min"
    recall = None if row.recall is None else f"{row.recall:.2f}"
    precision = None if row.precision is None else f"{row.precision:.2f}"
    return row.rule_id, row.faults, row.found, recall, row.alarms, row.false_alarms, precision, delay


def _tell(result: Score) -> None:
    out.table(_HEADER, [_cells(row) for row in (result.overall, *result.rules)])
    for fault in result.missed:
        out.line(f"missed: {fault.name} at {fault.equipment_id} {fault.start:%F %R} to {fault.end:%F %R}")
    for finding in result.unexplained[:50]:
        out.line(f"false: {finding.rule_id} at {finding.equipment_id} from {finding.onset_at:%F %R}")


def _markdown(result: Score, plan: Plan, building_days: float) -> str:
    def line(cells: Sequence[object]) -> str:
        return "| " + " | ".join("" if c is None else str(c) for c in cells) + " |"

    seeds = ", ".join(str(seed) for seed in plan.seeds)
    lines = [
        "# Detection of injected faults",
        "",
        "Made by `make detection`: the rules over simulated history with faults at random times and places, "
        f"scored against the truth. Seeds {seeds}; {plan.days} days each; {plan.of_each} of each fault; "
        f"step {STEP_S} s.",
        "",
        line(_HEADER),
        line(["---"] * len(_HEADER)),
        *(line(_cells(row)) for row in (result.overall, *result.rules)),
        "",
        f"False alarms per building and day: {result.overall.false_alarms / building_days:.3f}.",
        "",
        "Missed; a fault at equipment that stood still all the time counts as missed too:",
        "",
        *(f"- {f.name} at {f.equipment_id}, {f.start:%F %R} to {f.end:%F %R} UTC" for f in result.missed),
        "",
    ]
    return "\n".join(lines)
