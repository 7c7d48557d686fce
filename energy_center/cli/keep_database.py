"""`python -m energy_center.cli.keep_database FOLDER`: ends the demo's database when the demo is killed.

A child of the demo: the kernel tells it when its parent dies, however that happens, and it then lets go of
the database as the last user, which stops it.
"""

import asyncio
import signal
import sys
from pathlib import Path

from energy_center.store.embedded import EmbeddedPostgres

# a killed process frees its locks with its last thread, and the kernel's word comes with its first
LAST_THREAD_S = 0.5


async def keep(state_dir: Path) -> None:
    """Hold the database in a folder until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with EmbeddedPostgres(state_dir):
        await stop.wait()
        await asyncio.sleep(LAST_THREAD_S)


if __name__ == "__main__":
    asyncio.run(keep(Path(sys.argv[1])))
