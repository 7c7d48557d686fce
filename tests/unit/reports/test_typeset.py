"""What a document may be made of; the setting itself is tested where documents are made."""

from datetime import datetime

import pytest

from energy_center.reports.typeset import typeset


def test_a_document_needs_a_date_with_a_zone():
    with pytest.raises(ValueError, match="needs a zone"):
        typeset("bill", {"title": "t", "language": "en"}, datetime(2026, 8, 1))  # noqa: DTZ001
