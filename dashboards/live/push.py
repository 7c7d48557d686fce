"""The one persistent push callback: sends the cells of the page in view, and only what changed.

It has no input and no output, the only form that Dash starts again by itself after a reconnect. Everything
goes through one store of the shell; a script hands it on to the elements of the page.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

from dash import ctx, set_props

from dashboards import fmt
from dashboards.components.cell import Cell, refreshed
from dashboards.live.hub import FIGURES_EVERY_S, Hub, Viewer, hub
from dashboards.request import PageRequest, make_request
from dashboards.routes import Page, find_page
from energy_center.errors import DatabaseAway, EnergyCenterError
from energy_center.services.live_feed import LiveUpdate

log = logging.getLogger(__name__)

MIN_GAP_S = 0.1
HEARTBEAT_S = 2.0
# A browser under load may hand on only the newest of several messages: each carries the last two seconds.
REPEAT_FOR_S = 2.0


class Outbox:
    """What this tab has to be told; many changes between two sends become one message."""

    def __init__(self) -> None:
        self._pending: dict[str, tuple[float, Cell]] = {}
        self._hints: dict[str, int] = {"alarms": 0, "orders": 0, "progress": 0}
        self._last: dict[str, Cell] = {}
        self._away = False
        self.news = asyncio.Event()

    def start(self, cells: Mapping[str, Cell]) -> None:
        """A new page: forget what belonged to the one before."""
        self._pending.clear()
        self._last.clear()
        self.put(cells)
        self.news.set()

    def put(self, cells: Mapping[str, Cell]) -> None:
        """Newer cells; those that say the same as before are left out, and so are older readings."""
        now = time.monotonic()
        for key, cell in cells.items():
            before = self._last.get(key)
            if before == cell or _is_older(cell, before):
                continue
            self._last[key] = cell
            self._pending[key] = (now, cell)
            self.news.set()

    def hint(self, update: LiveUpdate) -> None:
        """Something else changed: lists on the page should ask again."""
        for name, changed in (
            ("alarms", update.alarms_changed),
            ("orders", update.work_orders_changed),
            ("progress", update.progress_changed),
        ):
            if changed:
                self._hints[name] += 1
                self.news.set()
        self.tell_away(away=update.database_away)

    def tell_away(self, *, away: bool) -> None:
        """Whether nothing new can come, since the database is away."""
        if away != self._away:
            self._away = away
            self.news.set()

    def message(self) -> dict[str, object]:
        """What to send now."""
        oldest = time.monotonic() - REPEAT_FOR_S
        self._pending = {k: (at, cell) for k, (at, cell) in self._pending.items() if at >= oldest}
        self.news.clear()
        return {
            "now": fmt.epoch_ms(datetime.now(UTC)),
            "cells": {key: cell.payload() for key, (_, cell) in self._pending.items()},
            "hints": dict(self._hints),
            "away": self._away,
        }


def _is_older(cell: Cell, than: Cell | None) -> bool:
    return than is not None and cell.point_id is not None and bool(cell.at and than.at) and cell.at < than.at  # type: ignore[operator]  # both were just found to be set


async def push() -> None:
    """Runs for as long as the socket is open."""
    socket = ctx.websocket
    if socket is None:
        return
    view = await _view_of(socket)
    viewer_id = str(view["viewer"])
    centre = hub()
    viewer = centre.viewer(viewer_id, str(view["path"]))
    outbox = Outbox()
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_send(centre, outbox))
            tasks.create_task(_follow(centre, viewer, outbox))
    finally:
        centre.forget(viewer_id)


async def _view_of(socket: Any) -> dict[str, Any]:  # noqa: ANN401 Dash ships no types
    """Which tab this is and what it shows; the page's script says so within moments of loading."""
    while not (view := await socket.get_prop("shell-view", "data")):  # noqa: ASYNC110 the browser holds what we wait for
        await asyncio.sleep(MIN_GAP_S)
    return dict(view)


async def _send(centre: Hub, outbox: Outbox) -> None:
    while True:
        silent = {"silent": fmt.epoch_ms(centre.fed_at)} if centre.is_silent(datetime.now(UTC)) else {}
        set_props("live", {"data": {**outbox.message(), **silent}})
        await asyncio.sleep(MIN_GAP_S)
        try:
            async with asyncio.timeout(HEARTBEAT_S):
                await outbox.news.wait()
        except TimeoutError:
            continue


async def _follow(centre: Hub, viewer: Viewer, outbox: Outbox) -> None:
    """Serve one page after the other, as the tab moves."""
    while True:
        viewer.moved.clear()
        async with asyncio.TaskGroup() as tasks:
            page = tasks.create_task(_serve(centre, viewer.path, outbox))
            await viewer.moved.wait()
            page.cancel()


async def _serve(centre: Hub, path: str, outbox: Outbox) -> None:
    """Feed one page until cancelled; a failure is logged and tried again: the tab recovers by itself."""
    found = find_page(path)
    while True:
        try:
            await _feed(centre, found, path, outbox)
        except* DatabaseAway:  # the feed logs it once for all tabs; this one may notice before the feed does
            outbox.tell_away(away=True)
        except* EnergyCenterError as problems:
            told = {"action": "push_interrupted", "path": path, "why": str(problems.exceptions[0])}
            log.warning("push interrupted", extra=told)
        except* Exception:  # outer loop of this tab: anything else is a mistake of ours
            log.exception("push failed", extra={"action": "push_failed", "path": path})
        await asyncio.sleep(FIGURES_EVERY_S)


async def _feed(centre: Hub, found: tuple[Page, Mapping[str, str]] | None, path: str, outbox: Outbox) -> None:
    if found is None or found[0].cells is None:
        await _hints_only(centre, outbox)
        return
    page, params = found
    request = await make_request(centre.database, path, params, {})
    cells = dict(await centre.cells(page, request))
    outbox.start(cells)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_points(centre, cells, request.language, outbox))
        if page.figures_every_s:
            tasks.create_task(_figures(centre, page, path, params, outbox))


async def _hints_only(centre: Hub, outbox: Outbox) -> None:
    outbox.start({})
    async with aclosing(centre.feed.subscribe(())) as updates:  # type: ignore[type-var]  # it is a generator
        async for update in updates:
            outbox.hint(update)


async def _points(centre: Hub, cells: Mapping[str, Cell], language: str, outbox: Outbox) -> None:
    """Each new reading of a point that a cell shows alone goes out at once."""
    by_point: dict[int, list[Cell]] = {}
    for cell in cells.values():
        if cell.point_id is not None:
            by_point.setdefault(cell.point_id, []).append(cell)
    ids = [cell.point_id for cell in cells.values() if cell.point_id is not None]
    async with aclosing(centre.feed.subscribe(ids)) as updates:  # type: ignore[type-var, arg-type]  # as above
        async for update in updates:
            outbox.hint(update)
            outbox.put(
                {
                    cell.key: refreshed(cell, value, language)
                    for value in update.values
                    for cell in by_point.get(value.point_id, ())
                }
            )


async def _figures(centre: Hub, page: Page, path: str, params: Mapping[str, str], outbox: Outbox) -> None:
    """Figures that are computed from several readings."""
    while True:
        await asyncio.sleep(page.figures_every_s)
        request: PageRequest = await make_request(centre.database, path, params, {})
        outbox.put(await centre.cells(page, request))
