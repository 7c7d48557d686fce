"""Child processes of the demo: started with a log file each, stopped in order, never left behind."""

import asyncio
import ctypes
import signal
import sys
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from energy_center.errors import EnvironmentProblem

T = TypeVar("T")

STOP_S = 10.0
_PR_SET_PDEATHSIG = 1


def _die_with_parent() -> None:
    """Have the kernel send SIGTERM when the parent dies, even by kill -9. Linux only; elsewhere a no-op."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass(slots=True)
class Child:
    """One running child; `log` holds what it wrote."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    @property
    def pid(self) -> int:
        """Process id."""
        return self.process.pid

    def tail(self, lines: int = 8) -> str:
        """The last lines of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


async def start_child(name: str, argv: Sequence[str], env: Mapping[str, str], log: Path) -> Child:
    """Start `argv` in a session of its own, so that Ctrl-C reaches the parent alone."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as sink:
        process = await asyncio.create_subprocess_exec(
            *argv,
            env=dict(env),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
            preexec_fn=_die_with_parent,  # one libc call, no locks taken
        )
    return Child(name, process, log)


def run_stoppably(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; SIGTERM ends it as Ctrl-C does, so that what it started is stopped."""

    async def guarded() -> T:
        task = asyncio.ensure_future(work)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await task

    try:
        return asyncio.run(guarded())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def stop_child(child: Child) -> None:
    """SIGTERM, then SIGKILL after ten seconds."""
    if child.process.returncode is not None:
        return
    child.process.terminate()
    try:
        async with asyncio.timeout(STOP_S):
            await child.process.wait()
    except TimeoutError:
        child.process.kill()
        await child.process.wait()


async def wait_for_file(path: Path, child: Child, limit_s: float) -> str:
    """What the child wrote into `path`; raises EnvironmentProblem when it ends or takes too long instead."""
    try:
        async with asyncio.timeout(limit_s):
            while not path.exists():
                if child.process.returncode is not None:
                    raise EnvironmentProblem(f"{child.name} stopped at its start:\n{child.tail()}")
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise EnvironmentProblem(
            f"{child.name} was not ready after {limit_s:.0f} s; see {child.log}"
        ) from None
    return path.read_text()
