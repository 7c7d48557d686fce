"""Draws the faults that the scoring injects at random from a seed: place, time, duration and size."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from energy_center.cli.detection_kinds import KINDS, Kind

HOUR = timedelta(hours=1)
TRIES = 400
Shows = Callable[[str, str, datetime, datetime], bool]


@dataclass(frozen=True, slots=True)
class Injection:
    """One fault to inject; `size` in its kind's unit, None where there is but one."""

    name: str
    place: str
    start: datetime
    end: datetime
    size: float | None = None

    @property
    def below(self) -> bool:
        """Smaller than what its rule promises to find."""
        kind = KINDS[self.name].size
        return kind is not None and self.size is not None and self.size < kind.least

    def option(self) -> str:
        """As the simulator's `--fault` takes it."""
        kind = KINDS[self.name]
        sized = "" if kind.size is None or self.size is None else f"*{self.size / kind.size.full:.4f}"
        window = f"{self.start.isoformat()}..{self.end.isoformat()}"
        return f"{kind.simulated_as or self.name}{sized}@{self.place}:{window}"


@dataclass(frozen=True, slots=True)
class Drawn:
    """The plan, and by fault how many random times were refused because nothing could have betrayed it."""

    injections: tuple[Injection, ...]
    refused: Mapping[str, int]


def draw(
    seed: int,
    span: tuple[datetime, datetime],
    of_each: tuple[int, int],
    names: frozenset[str],
    shows: Shows = lambda *_: True,
) -> Drawn:
    """Instances of every named kind: so many of a promised size, so many smaller.

    Different faults may overlap, at one equipment too; the same fault at one place leaves a day between.
    `shows(name, place, start, end)` tells whether the place works long enough meanwhile; it is asked for the
    stretches that no hiding fault covers.
    """
    dice = random.Random(seed)  # noqa: S311 a reproducible plan, not a secret
    drawn: list[Injection] = []
    refused: Counter[str] = Counter()
    for name, kind in KINDS.items():
        if name in names:
            large, small = of_each
            sizes = [_size(dice, kind, below=False) for _ in range(large)]
            sizes += [_size(dice, kind, below=True) for _ in range(small if kind.size else 0)]
            hiding = [i for i in drawn if i.name in kind.hidden_by]
            drawn += _draw_kind(dice, name, span, sizes, (_uncovered(shows, hiding), refused))
    return Drawn(tuple(sorted(drawn, key=lambda i: i.start)), refused)


def _uncovered(shows: Shows, hiding: Sequence[Injection]) -> Shows:
    """`shows` in one of the stretches between the hiding faults."""
    if not hiding:
        return shows

    def in_the_open(name: str, place: str, start: datetime, end: datetime) -> bool:
        stretches, at = [], start
        for fault in sorted((f for f in hiding if f.place == place), key=lambda f: f.start):
            stretches.append((at, min(fault.start, end)))
            at = max(at, fault.end)
        stretches.append((at, end))
        return any(first < last and shows(name, place, first, last) for first, last in stretches)

    return in_the_open


def _size(dice: random.Random, kind: Kind, *, below: bool) -> float | None:
    if kind.size is None:
        return None
    low, high = (
        (kind.size.small, kind.size.least) if below else (kind.size.least, kind.size.most or kind.size.full)
    )
    return dice.uniform(low, high)


def _draw_kind(
    dice: random.Random,
    name: str,
    span: tuple[datetime, datetime],
    sizes: list[float | None],
    shown: tuple[Shows, Counter[str]],
) -> Iterator[Injection]:
    kind, (shows, refused) = KINDS[name], shown
    taken: list[Injection] = []
    for _ in range(TRIES * len(sizes)):
        if len(taken) == len(sizes):
            return
        hours = dice.uniform(*kind.hours)
        room = (span[1] - span[0]) / HOUR - hours
        if room <= 0:
            return
        at = span[0] + HOUR * round(dice.uniform(0, room), 1)
        new = Injection(name, dice.choice(kind.places), at, at + HOUR * round(hours, 1), sizes[len(taken)])
        if not all(_apart(new, other, shows) for other in taken):
            continue
        if not shows(name, new.place, new.start, new.end):
            refused[name] += 1
            continue
        taken.append(new)
        yield new


def _apart(one: Injection, other: Injection, shows: Shows) -> bool:
    """Whether a day lies between, and work enough to see that the first was mended."""
    if one.place != other.place:
        return True
    first, second = sorted((one, other), key=lambda i: i.start)
    if first.end + 24 * HOUR > second.start:
        return False
    return shows(one.name, one.place, first.end, second.start)
