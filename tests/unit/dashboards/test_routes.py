"""One table of pages: each path leads to one page, and the log-in page never leads away."""

import pytest

from dashboards.login import own_path, page
from dashboards.routes import HINTS, PAGES, find_page, menu, phone_bar
from energy_center.i18n.text import LANGUAGES, catalogue


@pytest.mark.parametrize(
    ("path", "pattern", "params"),
    [
        ("/", "/", {}),
        ("/alarms", "/alarms", {}),
        ("/alarms/", "/alarms", {}),
        ("/alarms/17", "/alarms/{alarm_id}", {"alarm_id": "17"}),
        ("/equipment/ltb-main", "/equipment/{equipment_id}", {"equipment_id": "ltb-main"}),
        ("/work-orders/4", "/work-orders/{order_id}", {"order_id": "4"}),
    ],
)
def test_a_path_leads_to_its_page(path: str, pattern: str, params: dict[str, str]) -> None:
    found = find_page(path)
    assert found is not None
    assert (found[0].path, dict(found[1])) == (pattern, params)


@pytest.mark.parametrize("path", ["/nope", "/equipment/a/b", "/alarm", ""])
def test_other_paths_lead_nowhere(path: str) -> None:
    found = find_page(path)
    assert found is None or path == ""


def test_every_title_is_in_the_catalogues() -> None:
    assert [p.title for p in PAGES if p.title not in catalogue("en")] == []


def test_phones_have_five_targets() -> None:
    assert [p.path for p in phone_bar()] == ["/", "/alarms", "/work-orders", "/equipment", "/more"]


def test_the_menu_is_in_order() -> None:
    assert [p.path for p in menu()] == [
        "/",
        "/alarms",
        "/equipment",
        "/work-orders",
        "/bills",
        "/suggestions",
        "/duties",
        "/more",
    ]


def test_pages_redraw_only_subjects_that_are_pushed() -> None:
    assert {subject for p in PAGES for subject in p.parts} <= set(HINTS)


@pytest.mark.parametrize(
    "wanted", ["https://evil.example", "//evil.example", "/\\evil.example", "", None, "evil"]
)
def test_logging_in_never_leads_to_another_site(wanted: str | None) -> None:
    assert own_path(wanted) == "/"


def test_logging_in_leads_to_the_page_that_was_asked_for() -> None:
    assert own_path("/equipment/ltb-main?trend=a,b") == "/equipment/ltb-main?trend=a,b"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_log_in_page_is_in_its_language_and_escapes_what_it_is_given(language: str) -> None:
    html = page(language, "light", '/"><script>')
    assert f'<html lang="{language}"' in html
    assert "<script>" not in html.replace('<script src="/login/login.js">', "")
