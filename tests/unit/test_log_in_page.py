"""Where the log-in page leads afterwards."""

import pytest

from dashboards.login import own_path


@pytest.mark.parametrize(
    "wanted", ["/", "/equipment/ltb-main", "/equipment?search=a%20b", "/alarms?next=//x"]
)
def test_path_of_ours_is_kept(wanted: str):
    assert own_path(wanted) == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        None,
        "",
        "alarms",
        "http://evil.test/",
        "//evil.test",
        "/\\evil.test",
        "\\\\evil.test",
        "/\t/evil.test",
        "/\n/evil.test",
        "javascript:alert(1)",
    ],
)
def test_way_to_another_site_becomes_the_first_page(wanted: str | None):
    assert own_path(wanted) == "/"
