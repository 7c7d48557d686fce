"""What the push callbacks of this process share: the feed, who looks at what, figures read once."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from dashboards.components.cell import Cell
from dashboards.request import PageRequest
from dashboards.routes import Page
from energy_center.api.deps import Data
from energy_center.errors import EnergyCenterError
from energy_center.services.current_site import current_site
from energy_center.services.live_feed import LiveFeed

FIGURES_EVERY_S = 2.0
# Nothing from any device for this long, or six times the fastest point's interval: no collector delivers.
SILENT_AFTER_S = 30.0
_SILENT_INTERVALS = 6
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
        self._started_at = datetime.now(UTC)
        self._fed_at: datetime | None = None
        self._silent_after = timedelta(seconds=SILENT_AFTER_S)

    @property
    def fed_at(self) -> datetime:
        """When a reading of any point last came in; before the first one, when the server started."""
        return self._fed_at or self._started_at

    def is_silent(self, now: datetime) -> bool:
        """Whether no collector delivers anything: every value on every page grows old."""
        return now - self.fed_at > self._silent_after

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """`async with hub.watching():` notices inside the block when readings come in."""
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self._watch())
            try:
                yield
            finally:
                task.cancel()

    async def _watch(self) -> None:
        async with aclosing(self.feed.subscribe()) as updates:  # type: ignore[type-var]  # it is a generator
            async for update in updates:
                if update.values:
                    self._fed_at = max(value.received_at for value in update.values)
                    await self._learn_pace()

    async def _learn_pace(self) -> None:
        """A site whose points are all slow is not silent between them."""
        try:
            site = await current_site(self.database)
        except EnergyCenterError:
            return
        fastest_s = min((p.interval_s for p in site.points()), default=0.0)
        self._silent_after = timedelta(seconds=max(SILENT_AFTER_S, _SILENT_INTERVALS * fastest_s))

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

    async def cells(self, page: Page, request: PageRequest) -> Mapping[str, Cell]:
        """The page's cells, asked for once for everybody who looks at the same page in the same language."""
        if page.cells is None:
            return {}
        key = (request.path, request.language)
        async with self._locks.setdefault(key, asyncio.Lock()):
            known, max_age_s = self._shared.get(key), page.figures_every_s or FIGURES_EVERY_S
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
