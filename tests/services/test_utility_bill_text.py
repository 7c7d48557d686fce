"""Figures found in the words of a PDF, and what is left to the person."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfWriter

from energy_center.errors import Invalid
from energy_center.services.utility_bill_text import figures_in, pdf_text
from tests.services.paper_bill import SAMPLE, pdf_of

WHOLE = {
    "energy.peak": "90000",
    "energy.half_peak": "150000",
    "energy.saturday_half_peak": "40000",
    "energy.off_peak": "120000",
    "demand.peak": "1230",
    "demand.half_peak": "1350",
    "demand.saturday_half_peak": "900",
    "demand.off_peak": "800",
    "power_factor": "92",
    "amount.basic": "268320.0",
    "amount.energy": "2130200.0",
    "amount.over_contract": "53472.0",
    "amount.power_factor": "-28782.2",
    "total": "2464404",
}


def test_every_figure_beside_its_name_is_found():
    found = figures_in(pdf_text(pdf_of(SAMPLE.splitlines())))
    assert found.figures == {name: Decimal(amount) for name, amount in WHOLE.items()}
    assert found.ambiguous == ()
    assert (found.first, found.last) == (date(2026, 7, 1), date(2026, 7, 31))


@pytest.mark.parametrize(
    ("words", "figures"),
    [
        ("應繳總金額：１２，３４５元", {"total": "12345"}),  # full width
        ("應 繳 總 金 額 (元) 12,345", {"total": "12345"}),
        ("半尖峰度數\n5,000", {"energy.half_peak": "5000"}),
        ("功率因數調整費 −24,530", {"amount.power_factor": "-24530"}),
        ("應繳總金額 請見背面", {}),
        ("應繳總金額 115/08/20", {}),  # a date is no amount
        ("上期應繳總金額 900", {}),  # the tail of a longer name
        ("尖峰度數 1 應繳總金額 1 應繳總金額 1", {"energy.peak": "1", "total": "1"}),
    ],
)
def test_only_a_name_followed_by_a_number_is_believed(words: str, figures: dict[str, str]):
    assert figures_in(words).figures == {name: Decimal(amount) for name, amount in figures.items()}


def test_a_figure_told_twice_differently_is_left_to_the_person():
    found = figures_in("應繳總金額 100 元\n應繳總金額 200 元\n尖峰度數 5")
    assert found.figures == {"energy.peak": Decimal(5)}
    assert found.ambiguous == ("total",)


def test_a_day_that_cannot_be_leaves_the_period_unknown():
    assert figures_in("計費期間 115年02月30日至115年03月31日").first is None


@given(st.text(max_size=300))
def test_any_text_is_read_without_an_error(words: str):
    figures_in(words)


@given(st.integers(0, 10**9))
def test_the_number_is_the_printed_one(amount: int):
    assert figures_in(f"應繳總金額 {amount:,} 元").figures == {"total": Decimal(amount)}


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7 broken", b"%PDF", b"\x00" * 50])
def test_what_is_no_pdf_is_said(content: bytes):
    with pytest.raises(Invalid, match="no PDF that can be read"):
        pdf_text(content)


def test_a_pdf_packed_in_an_unknown_way_is_said():
    damaged = pdf_of(["應繳總金額 100 元"]).replace(b"/FlateDecode", b"/FlateXecode")
    with pytest.raises(Invalid, match="no PDF that can be read"):
        pdf_text(damaged)


def test_a_protected_pdf_and_one_without_words_are_said():
    import io

    def written(password: str | None) -> bytes:
        writer = PdfWriter()
        writer.add_blank_page(200, 200)
        if password:
            writer.encrypt(password, algorithm="RC4-128")
        held = io.BytesIO()
        writer.write(held)
        return held.getvalue()

    with pytest.raises(Invalid, match="protected by a password"):
        pdf_text(written("A123456789"))
    with pytest.raises(Invalid, match="picture without words"):
        pdf_text(written(None))
