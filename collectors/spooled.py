"""`python -m collectors.spooled FOLDER`: a spool's readings as JSON lines of equipment, point, microseconds.

For a spool that no process uses: to see what a dead collector had committed and not yet sent.
"""

import json
import sys
from pathlib import Path

import numpy as np

from collectors.spool_file import read_segment


def main(argv: list[str]) -> int:
    """Print every reading in the folder's segments; 1 when some cannot be read, 2 without such a folder."""
    if len(argv) != 1 or not Path(argv[0]).is_dir():
        sys.stderr.write("usage: python -m collectors.spooled FOLDER\n")
        return 2
    unread = 0
    for path in sorted(Path(argv[0]).glob("*.log")):
        try:
            _print(path)
        except OSError as cause:
            unread += 1
            sys.stderr.write(f"{path}: {cause.strerror}\n")
    return 1 if unread else 0


def _print(path: Path) -> None:
    def tell(at: int, octets: int) -> None:
        sys.stderr.write(f"{path}: {octets} octets at {at} are damaged\n")

    for _, record in read_segment(path, tell):
        for key, value in zip(record.keys, record.values, strict=True):
            if np.isfinite(value):
                sys.stdout.write(json.dumps([*key, record.at_us], ensure_ascii=False) + "\n")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
