"""What the push callbacks of this process share: the feed, who looks at what, figures read once."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from dashboards.components.cell import Cell
from dashboards.request import PageRequest
from dashboards.routes import Page
from energy_center.api.deps import Data
from energy_center.services.live_feed import LiveFeed

FIGURES_EVERY_S = 2.0
_KEPT_VIEWERS = 2_000


@dataclass(slots=True)
class Viewer:
    """One open browser tab: the path it shows, and an event for when it shows another."""

    path: str
    moved: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class _Shared:
    at: float
    cells: Mapping[str, Cell]


class Hub:
    """One per process; made in the lifespan, when the database is open."""

    def __init__(self, database: Data, feed: LiveFeed) -> None:
        self.database = database
        self.feed = feed
        self._viewers: dict[str, Viewer] = {}
        self._shared: dict[tuple[str, str], _Shared] = {}
        self._locks: dict[tuple[str, str], asyncio.Lock] = {}

    def viewer(self, viewer_id: str, path: str) -> Viewer:
        """The tab of this id; a new one when the server has not met it, as after a restart."""
        viewer = self._viewers.get(viewer_id)
        if viewer is None:
            if len(self._viewers) >= _KEPT_VIEWERS:
                self._viewers.pop(next(iter(self._viewers)))
            viewer = self._viewers[viewer_id] = Viewer(path)
        return viewer

    def move(self, viewer_id: str, path: str) -> None:
        """The tab shows another page now."""
        viewer = self.viewer(viewer_id, path)
        viewer.path = path
        viewer.moved.set()

    def forget(self, viewer_id: str) -> None:
        """The tab has closed its socket."""
        self._viewers.pop(viewer_id, None)

    async def cells(
        self, page: Page, request: PageRequest, max_age_s: float = FIGURES_EVERY_S
    ) -> Mapping[str, Cell]:
        """The page's cells, asked for once for everybody who looks at the same page in the same language."""
        if page.cells is None:
            return {}
        key = (request.path, request.language)
        async with self._locks.setdefault(key, asyncio.Lock()):
            known = self._shared.get(key)
            if known is not None and time.monotonic() - known.at < max_age_s:
                return known.cells
            cells = await page.cells(request)
            if len(self._shared) > 500:  # noqa: PLR2004 as many pages as people have looked at lately
                self._shared.clear()
            self._shared[key] = _Shared(time.monotonic(), cells)
            return cells


_hub: Hub | None = None


def set_hub(hub: Hub | None) -> None:
    """Make it the process's hub, for the time that the server runs."""
    global _hub  # noqa: PLW0603 Dash callbacks have no other way to reach what the lifespan made
    _hub = hub


def hub() -> Hub:
    """The process's hub; a mistake of ours when the server does not run."""
    if _hub is None:
        message = "the live hub exists only while the server runs"
        raise RuntimeError(message)
    return _hub
