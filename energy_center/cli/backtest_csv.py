"""`energy-center backtest --csv`: an export judged without a database, told as JSON or in lines."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from energy_center.cli import out
from energy_center.errors import Invalid
from energy_center.rules.backtest import Finding
from energy_center.services.csv_history.judge_history import HistoryReport, judge_file


def overrides_by_rule(
    settings: Sequence[tuple[str, float]], rule_ids: Sequence[str]
) -> dict[str, dict[str, float]]:
    """`edge_min=60` with one rule, or `ahu-off-schedule.edge_min=60` with any.

    Raises Invalid when a setting does not say which rule it is for.
    """
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for name, number in settings:
        rule_id, dot, parameter = name.rpartition(".")
        if not dot and len(rule_ids) != 1:
            raise Invalid(f"--set {name}: say which rule, as in ahu-off-schedule.{name}=…, or one --rule")
        found[rule_id or rule_ids[0]][parameter] = number
    return dict(found)


def tell(file: Path, report: HistoryReport, *, as_json: bool) -> None:
    """Print what was found."""
    if as_json:
        out.as_json(document(file, report))
    else:
        _lines(file, report)


def document(file: Path, report: HistoryReport) -> dict[str, object]:
    """Detections by local day, the figures of an operator's list, and what was wrong with the file."""
    score = report.score
    by_day: dict[date, list[dict[str, object]]] = {on: [] for on in report.days}
    for found in report.detections:
        by_day.setdefault(found.on, []).append({**_finding(found.finding), "hours": found.hours})
    return {
        "file": str(file),
        "days": [_day(on, found, report) for on, found in by_day.items()],
        "alarms": len(report.findings),
        "alarms_per_day": _per_day(report),
        "energy_kwh": _energy_kwh(report.findings),
        "score": None
        if score is None
        else {
            "faulty_days": score.faulty_days,
            "found_days": score.found_days,
            "healthy_days": score.healthy_days,
            "false_days": score.false_days,
            "precision": score.precision,
            "recall": score.recall,
        },
        "rules": [
            {
                "rule": j.binding.rule.rule_id,
                "equipment": j.binding.equipment.equipment_id,
                "alarms": len(j.findings),
                "unknown_share": round(j.unknown_share, 4),
                "parameters": dict(j.binding.parameters),
            }
            for j in report.judged
        ],
        "interval_s": report.history.interval_s,
        "left_out": dict(report.history.notes.counts),
        "notes": list(report.history.notes.sentences),
    }


def _day(on: date, found: list[dict[str, object]], report: HistoryReport) -> dict[str, object]:
    day: dict[str, object] = {"date": on.isoformat(), "detections": found}
    if report.truth:
        day["faulty"] = report.truth.get(on)
    return day


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "rule": finding.rule_id,
        "equipment": finding.equipment_id,
        "onset_at": finding.onset_at.isoformat(),
        "raised_at": finding.raised_at.isoformat(),
        "returned_at": finding.returned_at.isoformat() if finding.returned_at else None,
        "energy_kwh": finding.waste.energy_kwh if finding.waste else None,
    }


def _per_day(report: HistoryReport) -> float:
    return round(len(report.findings) / max(len(report.days), 1), 3)


def _energy_kwh(findings: Sequence[Finding]) -> float:
    return round(sum((f.waste.energy_kwh or 0.0) for f in findings if f.waste), 1)


def _lines(file: Path, report: HistoryReport) -> None:
    rows = [
        (d.on, d.finding.rule_id, d.finding.equipment_id, f"{d.hours:.1f}", _known(report.truth.get(d.on)))
        for d in report.detections
    ]
    out.table(("day", "rule", "equipment", "hours", "truth"), rows)
    out.line()
    out.line(
        f"{file.name}: {len(report.findings)} alarms on {len(report.days)} days, "
        f"{_per_day(report):.2f} a day; {len(report.judged)} rules at an equipment judged"
    )
    score = report.score
    if score is not None:
        out.line(
            f"against the file's truth: {score.found_days} of {score.faulty_days} faulty days found, "
            f"{score.false_days} of {score.healthy_days} healthy days with an alarm"
        )
    blind = sorted({j.binding.rule.rule_id for j in report.judged if j.unknown_share > _BLIND})
    if blind:
        out.line(f"cannot tell for over 20 % of the time: {', '.join(blind)}")
    for kind, number in report.history.notes.counts.items():
        out.line(f"{kind.replace('_', ' ')}: {number}")
    for sentence in report.history.notes.sentences:
        out.line(sentence)


def _known(faulty: bool | None) -> str:  # noqa: FBT001 an answer of the file, not an option
    return "" if faulty is None else ("faulty" if faulty else "healthy")


def judge(
    file: Path, map_file: Path, rule_ids: Sequence[str], settings: Sequence[tuple[str, float]]
) -> HistoryReport:
    """The report of an export."""
    return judge_file(file, map_file, rule_ids, overrides_by_rule(settings, rule_ids))


_BLIND = 0.2
