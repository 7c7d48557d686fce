"""A result that cannot be known, with the reasons; returned instead of None, NaN or 0."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Insufficient:
    """Why there is no answer; each reason carries its numbers."""

    reasons: tuple[str, ...]
