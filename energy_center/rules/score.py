"""How well the rules find injected faults: precision, recall and delay, over all and by rule.

A fault counts once, however many rules find it. An alarm is false only when no running fault, or its
after-effect within the keep time, explains it.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from energy_center.rules.backtest import Finding

Related = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class TrueFault:
    """What really was wrong: an injected fault at an equipment over a time."""

    name: str
    equipment_id: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class RuleScore:
    """`found` of `faults` that this rule should find; `false_alarms`: those that nothing explains."""

    rule_id: str
    faults: int
    found: int
    alarms: int
    false_alarms: int
    median_delay_s: float | None

    @property
    def recall(self) -> float | None:
        """Share of faults found; None where none was injected."""
        return self.found / self.faults if self.faults else None

    @property
    def precision(self) -> float | None:
        """Share of alarms that a fault explains; None where there was no alarm."""
        return 1.0 - self.false_alarms / self.alarms if self.alarms else None


@dataclass(frozen=True, slots=True)
class Score:
    """Over all rules, then by rule."""

    overall: RuleScore
    rules: tuple[RuleScore, ...]
    missed: tuple[TrueFault, ...]
    unexplained: tuple[Finding, ...]


def score(
    findings: Sequence[Finding],
    faults: Sequence[TrueFault],
    finds: Mapping[str, Sequence[str]],
    related: Related,
    slack: timedelta,
    excuses: Mapping[str, Sequence[str]],
    near: Related,
) -> Score:
    """Match alarms with faults.

    `finds` says which faults a rule is meant to find; `related` whether an alarm at one equipment may stem
    from a fault at another; `slack` how long after its end a fault still explains an alarm. `excuses` are
    faults that may raise a rule though another must find them, wherever `near` says so.
    """
    explained: dict[int, list[Finding]] = defaultdict(list)
    unexplained: list[Finding] = []
    for finding in findings:
        causes = [i for i, f in enumerate(faults) if _explains(f, finding, finds, related, slack)]
        for cause in causes:
            explained[cause].append(finding)
        if not causes and not any(_explains(f, finding, excuses, near, slack) for f in faults):
            unexplained.append(finding)
    rows = tuple(
        _row(rule_id, findings, faults, explained, unexplained, names) for rule_id, names in finds.items()
    )
    meant = {name for names in finds.values() for name in names}
    in_scope = [i for i, fault in enumerate(faults) if fault.name in meant]
    missed = tuple(faults[i] for i in in_scope if not explained[i])
    overall = RuleScore(
        rule_id="overall",
        faults=len(in_scope),
        found=len(in_scope) - len(missed),
        alarms=len(findings),
        false_alarms=len(unexplained),
        median_delay_s=_median([_delay_s(faults[i], explained[i]) for i in in_scope if explained[i]]),
    )
    return Score(overall, rows, missed, tuple(unexplained))


def _explains(
    fault: TrueFault,
    finding: Finding,
    finds: Mapping[str, Sequence[str]],
    related: Related,
    slack: timedelta,
) -> bool:
    if fault.name not in finds.get(finding.rule_id, ()):
        return False
    during = fault.start <= finding.raised_at and finding.onset_at <= fault.end + slack
    return during and related(finding.equipment_id, fault.equipment_id)


def _row(
    rule_id: str,
    findings: Sequence[Finding],
    faults: Sequence[TrueFault],
    explained: Mapping[int, Sequence[Finding]],
    unexplained: Sequence[Finding],
    names: Sequence[str],
) -> RuleScore:
    meant = [i for i, fault in enumerate(faults) if fault.name in names]
    own = {i: [f for f in explained.get(i, ()) if f.rule_id == rule_id] for i in meant}
    return RuleScore(
        rule_id=rule_id,
        faults=len(meant),
        found=sum(1 for found in own.values() if found),
        alarms=sum(1 for f in findings if f.rule_id == rule_id),
        false_alarms=sum(1 for f in unexplained if f.rule_id == rule_id),
        median_delay_s=_median([_delay_s(faults[i], found) for i, found in own.items() if found]),
    )


def _delay_s(fault: TrueFault, found: Sequence[Finding]) -> float:
    return max(0.0, min((f.raised_at - fault.start).total_seconds() for f in found))


def _median(numbers: Sequence[float]) -> float | None:
    return median(numbers) if numbers else None
