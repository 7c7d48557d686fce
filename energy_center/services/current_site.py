"""The applied site, kept in memory and read again when it was applied anew."""

import time
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from energy_center.domain.site import Site
from energy_center.errors import NotFound
from energy_center.store.overview import site_revision
from energy_center.store.pool import Database
from energy_center.store.site import load_site

_KEEP_S = 60.0  # a profile may change points without a new revision of the site file


@dataclass(frozen=True, slots=True)
class _Kept:
    revision: int
    until: float
    site: Site


_kept: WeakKeyDictionary[Database, _Kept] = WeakKeyDictionary()


async def current_site(db: Database) -> Site:
    """The site as last applied. Raises NotFound before the first time."""
    revision = await site_revision(db)
    kept = _kept.get(db)
    if kept is not None and kept.revision == revision and time.monotonic() < kept.until:
        return kept.site
    site = await load_site(db)
    if site is None:
        raise NotFound("No site has been applied yet; run: energy-center site apply FILE")
    _kept[db] = _Kept(revision, time.monotonic() + _KEEP_S, site)
    return site
