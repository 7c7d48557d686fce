"""Where a collector's plant comes from: a site file, or without one the site applied to the database.

With a file, the file is what counts; applying a site is the sign to read it again. Without one, the text that
was applied is kept beside the spool, so that a start needs no database.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from energy_center.config.bindings import Plant
from energy_center.config.load_site import load_site, move_connections
from energy_center.errors import EnvironmentProblem
from energy_center.store.pool import Database
from energy_center.store.supervision import latest_revision, revision_text

KEPT_NAME = "applied-site.yaml"


@dataclass(frozen=True, slots=True)
class LoadedSite:
    """A plant and the SHA-256 of the file's text that it was made from."""

    plant: Plant
    sha256: str


@dataclass(frozen=True, slots=True)
class SiteSource:
    """`endpoints` replaces hosts and ports; `follows_database`: the file is our copy of what was applied."""

    file: Path
    endpoints: Path | None
    follows_database: bool = False

    def load(self) -> LoadedSite:
        """Read the file and its profiles; raises ConfigError with all mistakes."""
        plant = load_site(self.file)
        digest = hashlib.sha256(self.file.read_bytes()).hexdigest()
        return LoadedSite(move_connections(plant, self.endpoints) if self.endpoints else plant, digest)

    def keep(self, text: str) -> None:
        """Replace our copy of what was applied, whole or not at all."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.file.with_suffix(".new")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(self.file)


async def find_source(
    file: Path | None, endpoints: Path | None, state_dir: Path, dsn: str | None
) -> SiteSource:
    """The given file, else what was applied to the database, else what was applied before.

    Raises EnvironmentProblem when there is none of them.
    """
    if file is not None:
        return SiteSource(file, endpoints)
    source = SiteSource(state_dir / KEPT_NAME, endpoints, follows_database=True)
    if dsn is not None and not source.file.exists():
        db = await Database.open(dsn, min_size=0, max_size=1)
        try:
            newest = await latest_revision(db)
            if newest is not None:
                source.keep(await revision_text(db, newest.revision))
        finally:
            await db.close()
    if not source.file.exists():
        raise EnvironmentProblem(
            "No site is known; use --site FILE, set ENERGY_CENTER_SITE_FILE, or apply a site to the database"
        )
    return source
