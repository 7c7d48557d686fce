"""A verification as plain data: what the command prints, the API gives and the database keeps."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from energy_center.analysis.verification.change_points import DayModel
from energy_center.analysis.verification.series import DaySpan
from energy_center.analysis.verification.verify import CONFIDENCES, Cover, Estimate, Reached, Verification

Document = dict[str, Any]


def document(found: Verification, baseline: DaySpan, reporting: DaySpan) -> Document:
    """Verdict, reasons with their facts, coverage of both spans, and the figures with every day."""
    estimate = found.estimate
    return {
        "verdict": found.verdict.value,
        "reasons": [{"reason": b.reason.value, "facts": dict(b.facts)} for b in found.reasons],
        "baseline": _cover(baseline, found.baseline),
        "reporting": _cover(reporting, found.reporting),
        "estimate": None if estimate is None else _estimate(estimate),
        "days": [] if estimate is None else _days(estimate),
        "baseline_days": [] if estimate is None else _baseline_days(estimate),
    }


def _cover(span: DaySpan, cover: Cover) -> Document:
    return {
        "from": span.first.isoformat(),
        "to": span.last.isoformat(),
        "days": cover.days,
        "used": cover.used,
        "missing": cover.missing,
        "beyond_temperatures": cover.beyond,
        "coverage": cover.share,
    }


def _estimate(found: Estimate) -> Document:
    model = found.baseline.model
    return {
        "model": found.baseline.name,
        "change_points_c": list(model.change_points_c) if isinstance(model, DayModel) else [],
        "cv_rmse": found.baseline.cv_rmse,
        "nmbe": found.baseline.nmbe,
        "r_squared": found.baseline.r_squared,
        "days": len(found.day),
        "expected_kwh": found.expected_total_kwh,
        "adjustment_kwh": float(found.adjustment_kwh.sum()),
        "actual_kwh": float(found.actual_kwh.sum()),
        "avoided_kwh": found.avoided_kwh,
        "avoided_share": found.share,
        "deviation_kwh": found.deviation_kwh,
        "intervals_kwh": {f"{c:.2f}": list(found.interval(c)) for c in CONFIDENCES},
    }


def _days(found: Estimate) -> list[Document]:
    columns = (found.expected_kwh, found.adjustment_kwh, found.actual_kwh)
    rows = zip(found.day.tolist(), *(column.round(3).tolist() for column in columns), strict=True)
    return [
        {
            "on": date.fromordinal(on).isoformat(),
            "expected_kwh": expected,
            "adjustment_kwh": adjustment,
            "actual_kwh": actual,
        }
        for on, expected, adjustment, actual in rows
    ]


def _baseline_days(found: Estimate) -> list[Document]:
    model = found.baseline
    columns = (model.expected_kwh, model.actual_kwh)
    rows = zip(model.day.tolist(), *(column.round(3).tolist() for column in columns), strict=True)
    return [
        {"on": date.fromordinal(on).isoformat(), "expected_kwh": expected, "actual_kwh": actual}
        for on, expected, actual in rows
    ]


def course_document(reached: Sequence[Reached]) -> list[Document]:
    """How the saving added up."""
    return [
        {
            "on": date.fromordinal(each.day).isoformat(),
            "avoided_kwh": each.avoided_kwh,
            "low_kwh": each.low_kwh,
            "high_kwh": each.high_kwh,
        }
        for each in reached
    ]


def estimate_of(found: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The figures of a kept document, None where there were none."""
    estimate: Mapping[str, Any] | None = found["estimate"]
    return estimate
