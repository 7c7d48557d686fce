"""Which program is running, so that a page left open over an upgrade knows to reload itself."""

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of

from energy_center.settings import PROJECT_ROOT


def version() -> str:
    """The distribution's version."""
    try:
        return version_of("energy-center")
    except PackageNotFoundError:
        return "0"


@cache
def build_id() -> str:
    """Changes whenever a file of the web process changes; taken once a process, at its first use."""
    digest = hashlib.sha256(version().encode())
    for package in ("energy_center", "dashboards"):
        for path in sorted((PROJECT_ROOT / package).rglob("*")):
            if path.suffix in (".py", ".js", ".css", ".yaml", ".sql"):
                state = path.stat()
                digest.update(
                    f"{path.relative_to(PROJECT_ROOT)} {state.st_size} {state.st_mtime_ns}\n".encode()
                )
    return digest.hexdigest()[:16]
