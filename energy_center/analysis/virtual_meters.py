"""Virtual meters: sums and differences of meters, such as `ltb-main - sum(ltb-floor-*)` or `0.4 * ltb-pump`.

An expression is linear in its meters, so that the energy of the expression is the expression of the energies,
for any interval. Names may contain hyphens; a minus sign between meters stands between blanks.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np

from energy_center.analysis.intervals import Energies, Method

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?(?![\w.*?-]))|(?P<name>[A-Za-z0-9_*?][\w.*?]*(?:-[\w.*?]+)*)|(?P<mark>[-+*/()]))"
)
_DEEPEST = 20  # brackets in brackets


class BadExpression(ValueError):
    """An expression of meters is wrong; the message quotes it and says what is expected."""


@dataclass(frozen=True, slots=True)
class VirtualMeter:
    """A weighted sum of meters: meter id -> factor, none of them 0."""

    expression: str
    factors: Mapping[str, float]

    def evaluate(self, energies: Mapping[str, Energies]) -> Energies:
        """The same sum of the energies; unknown where any part is, covered as the least covered part.

        Raises KeyError for a meter without energies and ValueError where their intervals differ.
        """
        parts = [energies[meter] for meter in self.factors]
        edges = parts[0].edges_s
        if any(not np.array_equal(part.edges_s, edges) for part in parts):
            message = f"the intervals of the meters in '{self.expression}' differ"
            raise ValueError(message)
        amount = sum(factor * part.amount for factor, part in zip(self.factors.values(), parts, strict=True))
        coverage = np.minimum.reduce([part.coverage for part in parts])
        return Energies(
            edges, np.asarray(amount, np.float64), coverage, _least(part.method for part in parts)
        )


def _least(methods: Iterable[Method]) -> Method:
    """The poorest of the ways in which the parts were found."""
    order = list(Method)
    return max(methods, key=order.index)


def parse_virtual_meter(
    expression: str, meters: Iterable[str], others: Mapping[str, str] | None = None
) -> VirtualMeter:
    """Parse an expression over known meters and other expressions (name -> text).

    Raises BadExpression for anything but sums, differences, brackets, multiples and `sum(pattern)`; for names
    that do not exist, patterns that match nothing and expressions that contain themselves.
    """
    factors = _Parser(expression, frozenset(meters), others or {}, ()).parse()
    kept = {meter: factor for meter, factor in factors.items() if factor != 0.0}
    if not kept:
        raise BadExpression(f"'{expression}': no meter is left in it")
    return VirtualMeter(expression, kept)


_Linear = dict[str, float]
_NUMBER = ""  # key of the constant part while parsing


class _Parser:
    """Recursive descent; a value is a linear form, with the constant part under `_NUMBER`."""

    def __init__(
        self, text: str, meters: frozenset[str], others: Mapping[str, str], within: tuple[str, ...]
    ) -> None:
        self._text, self._meters, self._others, self._within = text, meters, others, within
        self._tokens = self._split()
        self._at = 0
        self._depth = 0

    def parse(self) -> _Linear:
        """The whole text as one linear form of meters."""
        form = self._sum()
        if self._at < len(self._tokens):
            raise self._error(f"'{self._tokens[self._at][1]}' after the end; expected + or -")
        if form.get(_NUMBER, 0.0) != 0.0:
            raise self._error("a number stands alone; expected it before * and a meter")
        form.pop(_NUMBER, None)
        return form

    def _error(self, what: str) -> BadExpression:
        return BadExpression(f"'{self._text}': {what}")

    def _split(self) -> list[tuple[str, str]]:
        tokens, at, text = list[tuple[str, str]](), 0, self._text.rstrip()
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                raise self._error(
                    f"'{text[at:].strip()[:1]}' is not allowed; expected meters, numbers, + - * / ( )"
                )
            tokens.append((str(found.lastgroup), found[str(found.lastgroup)]))
            at = found.end()
        return tokens

    def _next(self) -> str | None:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else None

    def _sum(self) -> _Linear:
        form = self._product()
        while (sign := self._next()) in {"+", "-"}:
            self._at += 1
            form = _add(form, self._product(), 1.0 if sign == "+" else -1.0)
        return form

    def _product(self) -> _Linear:
        form = self._factor()
        while (sign := self._next()) in {"*", "/"}:
            self._at += 1
            other = self._factor()
            form = self._times(form, other) if sign == "*" else self._over(form, other)
        return form

    def _times(self, form: _Linear, other: _Linear) -> _Linear:
        if set(other) <= {_NUMBER}:
            return _scale(form, other.get(_NUMBER, 0.0))
        if set(form) <= {_NUMBER}:
            return _scale(other, form.get(_NUMBER, 0.0))
        raise self._error("a meter times a meter is no energy; expected a number on one side of *")

    def _over(self, form: _Linear, other: _Linear) -> _Linear:
        if not set(other) <= {_NUMBER}:
            raise self._error("division by a meter is no energy; expected a number after /")
        if other.get(_NUMBER, 0.0) == 0.0:
            raise self._error("division by zero")
        return _scale(form, 1.0 / other[_NUMBER])

    def _factor(self) -> _Linear:
        if self._at >= len(self._tokens):
            raise self._error("it ends too early; expected a meter, a number or (")
        kind, text = self._tokens[self._at]
        self._at += 1
        if kind == "number":
            return {_NUMBER: float(text)}
        if kind == "name":
            return self._meters_of(text)
        if text == "-":
            return _scale(self._factor(), -1.0)
        if text == "(":
            return self._bracket()
        raise self._error(f"found '{text}'; expected a meter, a number or (")

    def _bracket(self) -> _Linear:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._error(f"more than {_DEEPEST} brackets in each other")
        form = self._sum()
        self._close()
        self._depth -= 1
        return form

    def _close(self) -> None:
        if self._next() != ")":
            raise self._error("a bracket is not closed; expected )")
        self._at += 1

    def _meters_of(self, name: str) -> _Linear:
        if name == "sum" and self._next() == "(":
            self._at += 1
            return self._pattern()
        if "*" in name or "?" in name:
            raise self._error(f"the pattern '{name}' stands alone; expected sum({name})")
        return self._one(name)

    def _pattern(self) -> _Linear:
        kind, pattern = self._tokens[self._at] if self._at < len(self._tokens) else ("", "")
        if kind not in {"name", "number"}:
            raise self._error("sum( needs a meter or a pattern such as ltb-floor-*")
        self._at += 1
        self._close()
        # `meter.point` names a register of a meter: a pattern of meters must not count it once more
        alike = (meter for meter in self._meters if ("." in meter) == ("." in pattern))
        found = sorted(meter for meter in alike if fnmatchcase(meter, pattern))
        if not found:
            raise self._error(f"no meter matches '{pattern}'; there are {_some(self._meters)}")
        return dict.fromkeys(found, 1.0)

    def _one(self, name: str) -> _Linear:
        if name in self._meters:
            return {name: 1.0}
        if name not in self._others:
            raise self._error(f"no meter '{name}'; there are {_some(self._meters | set(self._others))}")
        if name in self._within:
            raise self._error(f"'{name}' contains itself: {' > '.join((*self._within, name))}")
        return _Parser(self._others[name], self._meters, self._others, (*self._within, name)).parse()


def _some(names: Iterable[str]) -> str:
    listed = sorted(names)
    return ", ".join(listed[:8]) + (f" and {len(listed) - 8} more" if len(listed) > 8 else "")  # noqa: PLR2004


def _add(form: _Linear, other: _Linear, sign: float) -> _Linear:
    return {key: form.get(key, 0.0) + sign * other.get(key, 0.0) for key in {**form, **other}}


def _scale(form: _Linear, factor: float) -> _Linear:
    return {key: factor * weight for key, weight in form.items()}
