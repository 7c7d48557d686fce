"""Daily change-point models (ASHRAE Guideline 14-2014, annex D; inverse modelling toolkit, RP-1050).

Energy of a day = base of its kind + slopes against outdoor temperature beyond change points. Given the change
points the model is linear: they are searched over a grid, all at once, then over finer ones around the best.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from energy_center.analysis.counters import FloatArray
from energy_center.analysis.verification.series import BoolArray, DayKind, DaySeries, IntArray
from energy_center.analysis.verification.uncertainty import autocorrelation, effective_count

_GRID = 25  # candidates of a change point
_FINER = 4  # steps to either side in a finer search, each a quarter of the search before it
_TIMES_FINER = 2  # 0.1 K of a usual year
_LEAST_SHARE = 0.08  # of the days beyond a change point, else its slope rests on a few days
LEAST_OF_KIND = 10  # days of a kind that get a base of their own
_HIGHEST_CONDITION = 1e10  # of the normal equations


class Shape(StrEnum):
    """What energy does with temperature; the number counts the parameters of one kind of day."""

    MEAN = "1P"
    LINE = "2P"
    COOLING = "3PC"
    HEATING = "3PH"
    V = "4P"  # two slopes that meet at one change point
    BATH = "5P"  # heating below, cooling above, flat between


_CHANGE_POINTS = {
    Shape.MEAN: 0,
    Shape.LINE: 0,
    Shape.COOLING: 1,
    Shape.HEATING: 1,
    Shape.V: 1,
    Shape.BATH: 2,
}


@dataclass(frozen=True, slots=True)
class Form:
    """A shape with what differs between kinds of days.

    `groups` maps every DayKind to the kind whose base it shares; with `own_slopes` the slopes differ too.
    """

    shape: Shape
    groups: tuple[int, ...]
    own_slopes: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class DayModel:
    """A fitted form. `change_points_c` from cold to warm; `coefficients` in kWh and kWh/K, shape (p,).

    `inverse` is (X'X)^-1, shape (p, p); `day` and `design` are those of the days it was fitted to, `residual`
    actual less expected, kWh.
    """

    form: Form
    change_points_c: tuple[float, ...]
    coefficients: FloatArray
    inverse: FloatArray
    day: IntArray
    design: FloatArray
    residual: FloatArray

    @property
    def daily_parameters(self) -> int:
        """What was fitted, change points among them."""
        return len(self.coefficients) + len(self.change_points_c)

    def rows(self, days: DaySeries) -> FloatArray:
        """Design of other days, shape (n, p)."""
        return _design(days, self.form, np.array(self.change_points_c))

    def weights(self, days: DaySeries) -> FloatArray:
        """What one kWh more on each baseline day adds to the sum expected of `days`, shape (n,)."""
        return np.asarray(self.design @ (self.inverse @ self.rows(days).sum(axis=0)), dtype=np.float64)

    def expected(self, days: DaySeries) -> FloatArray:
        """Energy of days by their temperature and kind, kWh."""
        return self.rows(days) @ self.coefficients


def fit_days(days: DaySeries) -> DayModel:
    """The form with the least Bayesian information criterion; `days` must be known, in rising order.

    Observations count by how many independent ones they are worth.
    """
    found = [model for form in _forms(days) if (model := fit_form(days, form)) is not None]
    richest = min(found, key=lambda model: float(np.sum(model.residual**2)))
    count = effective_count(len(days), autocorrelation(richest.day, richest.residual))
    return min(found, key=lambda model: _criterion(model, count))


def _criterion(model: DayModel, count: float) -> float:
    mean_square = max(float(np.mean(model.residual**2)), 1e-12)
    return count * float(np.log(mean_square)) + model.daily_parameters * float(np.log(count))


def fit_form(days: DaySeries, form: Form) -> DayModel | None:
    """Least squares over coefficients and change points; None where no change point leaves sound slopes."""
    points = _candidates(days.temperature_c, form.shape)
    if not len(points):
        return None
    best = _search(days, form, points)
    if best is None:
        return None
    if _CHANGE_POINTS[form.shape]:
        step = float(np.ptp(days.temperature_c)) / _GRID
        for _ in range(_TIMES_FINER):
            step /= _FINER
            best = _search(days, form, _around(best, step, days.temperature_c)) or best
    design = _design(days, form, np.array(best))
    inverse = np.asarray(np.linalg.inv(design.T @ design), dtype=np.float64)
    coefficients = inverse @ (design.T @ days.energy_kwh)
    return DayModel(
        form, best, coefficients, inverse, days.day, design, days.energy_kwh - design @ coefficients
    )


def _forms(days: DaySeries) -> Iterator[Form]:
    for groups in _groupings(days.kind):
        for shape in Shape:
            yield Form(shape, groups)
            if shape is not Shape.MEAN and len(set(groups)) > 1:
                yield Form(shape, groups, own_slopes=True)


def _groupings(kind: IntArray) -> list[tuple[int, ...]]:
    """All alike; working or not; every kind for itself: as far as there are days enough."""
    counts = np.bincount(kind, minlength=len(DayKind))
    found: list[tuple[int, ...]] = [(0, 0, 0)]
    if counts[0] >= LEAST_OF_KIND and counts[1:].sum() >= LEAST_OF_KIND:
        found.append((0, 1, 1))
    if np.all(counts >= LEAST_OF_KIND):
        found.append((0, 1, 2))
    return found


def _candidates(temperature_c: FloatArray, shape: Shape) -> FloatArray:
    """Change points to try, shape (m, 0..2); each leaves enough days on its sloping side."""
    count = _CHANGE_POINTS[shape]
    if count == 0:
        is_flat = shape is not Shape.MEAN and np.ptp(temperature_c) <= 0
        return np.empty((0 if is_flat else 1, 0))
    low, high = np.quantile(temperature_c, [_LEAST_SHARE, 1.0 - _LEAST_SHARE])
    if high <= low:
        return np.empty((0, count))
    grid = np.linspace(low, high, _GRID)
    if count == 1:
        return grid[:, None]
    cold, warm = np.meshgrid(grid, grid, indexing="ij")
    apart = warm > cold
    return np.column_stack((cold[apart], warm[apart]))


def _around(best: tuple[float, ...], step: float, temperature_c: FloatArray) -> FloatArray:
    low, high = np.quantile(temperature_c, [_LEAST_SHARE, 1.0 - _LEAST_SHARE])
    offsets = step * np.arange(-_FINER, _FINER + 1)
    axes = [np.clip(point + offsets, low, high) for point in best]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(best))
    return np.asarray(points[np.all(np.diff(points, axis=1) > 0, axis=1)], dtype=np.float64)


def _design(days: DaySeries, form: Form, points: FloatArray) -> FloatArray:
    return np.asarray(_designs(days, form, points[None, :])[0], dtype=np.float64)


def _designs(days: DaySeries, form: Form, points: FloatArray) -> FloatArray:
    """Designs of all candidates, shape (m, n, p): bases by group, then slopes."""
    group = np.array(form.groups)[days.kind]
    members = [(group == kind).astype(np.float64) for kind in sorted(set(form.groups))]
    slopes = _slopes(days.temperature_c, form.shape, points)
    if form.own_slopes:
        slopes = [slope * member for slope in slopes for member in members]
    columns = [np.broadcast_to(member, (len(points), len(days))) for member in members]
    return np.stack([*columns, *slopes], axis=-1)


def _slopes(temperature_c: FloatArray, shape: Shape, points: FloatArray) -> list[FloatArray]:
    """Kelvins that a slope multiplies, each of shape (m, n)."""
    at = temperature_c[None, :]
    match shape:
        case Shape.MEAN:
            return []
        case Shape.LINE:
            return [np.broadcast_to(at, (len(points), len(temperature_c)))]
        case Shape.COOLING:
            return [np.maximum(at - points[:, :1], 0.0)]
        case Shape.HEATING:
            return [np.maximum(points[:, :1] - at, 0.0)]
        case Shape.V | Shape.BATH:
            return [np.maximum(points[:, :1] - at, 0.0), np.maximum(at - points[:, -1:], 0.0)]


def _search(days: DaySeries, form: Form, points: FloatArray) -> tuple[float, ...] | None:
    """The candidate with the least squares among those whose slopes have the right sign."""
    designs = _designs(days, form, points)
    gram = np.einsum("mnp,mnq->mpq", designs, designs)
    moment = np.einsum("mnp,n->mp", designs, days.energy_kwh)
    sound = np.linalg.cond(gram) < _HIGHEST_CONDITION
    if not sound.any():
        return None
    gram, moment, points = gram[sound], moment[sound], points[sound]
    solved = np.linalg.solve(gram, moment[:, :, None])[:, :, 0]
    squares = np.sum(days.energy_kwh**2) - np.sum(solved * moment, axis=1)
    allowed = _right_signs(form, solved)
    if not allowed.any():
        return None
    squares = np.where(allowed, squares, np.inf)
    return tuple(float(point) for point in points[int(np.argmin(squares))])


def _right_signs(form: Form, solved: FloatArray) -> BoolArray:
    """Heating rises as it gets colder, cooling as it gets warmer; a line or a V may be anything."""
    if form.shape in {Shape.MEAN, Shape.LINE, Shape.V}:
        return np.ones(len(solved), dtype=np.bool_)
    slopes = solved[:, len(set(form.groups)) :]
    return np.asarray(np.all(slopes >= 0, axis=1), dtype=np.bool_)
