"""Decides when a collector takes another plant, and says what came of it.

SIGHUP asks for it, and so does a site that was applied. A file with mistakes is refused: they are logged,
reported, and the plant at work goes on.
"""

import asyncio
import logging

from collectors.site_source import LoadedSite, SiteSource
from energy_center.errors import ConfigError, EnergyCenterError
from energy_center.store.supervision import Revision

log = logging.getLogger(__name__)


class Reload:
    """The site at work and the one that may take its place."""

    def __init__(self, source: SiteSource, site: LoadedSite) -> None:
        self.site = site
        self.mistakes: tuple[str, ...] = ()
        self.wanted = asyncio.Event()
        self._source = source
        self._seen = 0  # revisions count from 1

    def ask(self) -> None:
        """Read the site again soon; safe from a signal handler."""
        self.wanted.set()

    def is_news(self, applied: Revision) -> bool:
        """Whether this is applied since we looked last, and is not what is at work."""
        return applied.revision != self._seen and applied.sha256 != self.site.sha256

    def follow(self, applied: Revision, text: str | None) -> None:
        """A site was applied: read it, from its text where that is what counts."""
        if text is not None:
            self._source.keep(text)
        self._seen = applied.revision
        self.ask()

    async def read(self) -> LoadedSite | None:
        """The site as it is written now; None when it is wrong, or the same as the one at work."""
        try:
            site = await asyncio.to_thread(self._source.load)
        except Exception as problem:  # noqa: BLE001  the plant at work must go on, whatever is wrong
            self.refuse(problem)
            return None
        self.mistakes = ()
        if site != self.site:
            return site
        log.info(
            "site is the same",
            extra={"action": "reload_same", "file": str(self._source.file), "sha256": site.sha256[:12]},
        )
        return None

    def refuse(self, problem: Exception) -> None:
        """Say why the new site is not taken."""
        found = problem.mistakes if isinstance(problem, ConfigError) else [str(problem)]
        self.mistakes = tuple(found[:20])
        log.error(
            "new site refused, the old one goes on",
            extra={"action": "reload_refused", "mistakes": "; ".join(self.mistakes)},
            exc_info=None if isinstance(problem, EnergyCenterError | OSError) else problem,
        )
