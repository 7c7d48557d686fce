"""How well the rules find injected faults: precision, recall and delay, over all and by rule.

A fault counts once, however many rules find it. An alarm is false only when no running fault, or its
after-effect within the keep time, explains it.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt
from statistics import median

from energy_center.rules.backtest import Finding

Related = Callable[[str, str], bool]
Z_95 = 1.959964  # of the standard normal distribution, two-sided


@dataclass(frozen=True, slots=True)
class TrueFault:
    """What really was wrong: an injected fault at an equipment over a time.

    One `below` the size that its rule promises to find may explain an alarm, and is counted apart.
    """

    name: str
    equipment_id: str
    start: datetime
    end: datetime
    below: bool = False


@dataclass(frozen=True, slots=True)
class RuleScore:
    """`found` of `faults` that this rule should find; `false_alarms`: those that nothing explains.

    `delays_s`: from the start of each found fault to its first alarm. `small` are the faults below size.
    """

    rule_id: str
    faults: int
    found: int
    alarms: int
    false_alarms: int
    delays_s: tuple[float, ...]
    small: int = 0
    small_found: int = 0

    @property
    def recall(self) -> float | None:
        """Share of faults found; None where none was injected."""
        return self.found / self.faults if self.faults else None

    @property
    def precision(self) -> float | None:
        """Share of alarms that a fault explains; None where there was no alarm."""
        return 1.0 - self.false_alarms / self.alarms if self.alarms else None

    @property
    def median_delay_s(self) -> float | None:
        """Median delay of the faults found."""
        return median(self.delays_s) if self.delays_s else None

    def __add__(self, other: "RuleScore") -> "RuleScore":
        """Both runs' counts together."""
        return RuleScore(
            rule_id=self.rule_id,
            faults=self.faults + other.faults,
            found=self.found + other.found,
            alarms=self.alarms + other.alarms,
            false_alarms=self.false_alarms + other.false_alarms,
            delays_s=self.delays_s + other.delays_s,
            small=self.small + other.small,
            small_found=self.small_found + other.small_found,
        )


@dataclass(frozen=True, slots=True)
class Score:
    """Over all rules, then by rule."""

    overall: RuleScore
    rules: tuple[RuleScore, ...]
    missed: tuple[TrueFault, ...]
    unexplained: tuple[Finding, ...]

    def __add__(self, other: "Score") -> "Score":
        """Two runs of the same rules."""
        return Score(
            self.overall + other.overall,
            tuple(one + two for one, two in zip(self.rules, other.rules, strict=True)),
            self.missed + other.missed,
            self.unexplained + other.unexplained,
        )


def wilson(found: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927, J. Am. Stat. Assoc. 22, without continuity correction)."""
    share, square = found / of, Z_95**2
    middle = share + square / (2 * of)
    half = Z_95 * sqrt(share * (1 - share) / of + square / (4 * of**2))
    scale = 1 + square / of
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


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
    in_scope = [i for i, fault in enumerate(faults) if fault.name in meant and not fault.below]
    small = [i for i, fault in enumerate(faults) if fault.name in meant and fault.below]
    missed = tuple(faults[i] for i in in_scope if not explained[i])
    overall = RuleScore(
        rule_id="overall",
        faults=len(in_scope),
        found=len(in_scope) - len(missed),
        alarms=len(findings),
        false_alarms=len(unexplained),
        delays_s=tuple(_delay_s(faults[i], explained[i]) for i in in_scope if explained[i]),
        small=len(small),
        small_found=sum(1 for i in small if explained[i]),
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
    by_rule = {i: [f for f in explained.get(i, ()) if f.rule_id == rule_id] for i in meant}
    own = {i: found for i, found in by_rule.items() if not faults[i].below}
    small = [found for i, found in by_rule.items() if faults[i].below]
    return RuleScore(
        rule_id=rule_id,
        faults=len(own),
        found=sum(1 for found in own.values() if found),
        alarms=sum(1 for f in findings if f.rule_id == rule_id),
        false_alarms=sum(1 for f in unexplained if f.rule_id == rule_id),
        delays_s=tuple(_delay_s(faults[i], found) for i, found in own.items() if found),
        small=len(small),
        small_found=sum(1 for found in small if found),
    )


def _delay_s(fault: TrueFault, found: Sequence[Finding]) -> float:
    return max(0.0, min((f.raised_at - fault.start).total_seconds() for f in found))
