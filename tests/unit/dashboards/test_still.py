"""HTML of large parts: the same elements, and nothing that people typed can become markup."""

from dash import dcc, html

from dashboards.components.still import still, to_html


def test_elements_attributes_and_links() -> None:
    row = html.Tr(
        [html.Td(dcc.Link("A & B", href="/alarms/1?a=1&b=2", className="title")), html.Td(None)],
        className="p1",
        **{"data-alarm": "1"},
    )
    assert to_html(row) == (
        '<tr class="p1" data-alarm="1"><td><a href="/alarms/1?a=1&amp;b=2" class="title" data-nav="1">'
        "A &amp; B</a></td><td></td></tr>"
    )


def test_words_cannot_become_markup() -> None:
    evil = '<img src=x onerror="alert(1)">'
    shown = to_html(html.Td(evil, title=evil))
    assert "<img" not in shown
    assert shown.count("&lt;img") == 2


def test_what_is_false_or_absent_is_left_out() -> None:
    assert to_html(html.Tr([], hidden=False)) == "<tr></tr>"
    assert to_html(html.Tr([], hidden=True)) == '<tr hidden=""></tr>'


def test_styles_are_written_out() -> None:
    assert to_html(html.Div("", style={"--fill": "63%"})) == '<div style="--fill:63%"></div>'


def test_a_still_part_is_one_element() -> None:
    part = still(html.Table(html.Tbody(html.Tr(html.Td("x")))))
    assert part.to_plotly_json()["props"]["data-html"] == "<table><tbody><tr><td>x</td></tr></tbody></table>"
