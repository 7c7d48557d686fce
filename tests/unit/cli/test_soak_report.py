"""The page of the long runs keeps each part's last result."""

from energy_center.cli.soak_report import Figure, SoakPart, as_page


def part(*figures: Figure) -> SoakPart:
    return SoakPart("drain", "2026-11-24 19:00", 12.0, "Work.", figures, ("second", "bytes"), [(1, 2_000)])


def test_figure_beyond_its_goal_is_marked() -> None:
    bad = Figure("backlog gone after", 90.0, "s", "<= 60 s", ok=False)
    assert not part(bad).ok
    assert "| backlog gone after | 90 s | <= 60 s | NOT OK |" in as_page([part(bad)])


def test_course_stands_below_the_figures() -> None:
    assert "| 1 | 2,000 |" in as_page([part(Figure("readings", 5, ""))])
