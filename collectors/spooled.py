"""`python -m collectors.spooled FOLDER`: a spool's readings as JSON lines of equipment, point, microseconds.

For a spool that no process uses: to see what a dead collector had committed and not yet sent.
"""

import json
import sys
from pathlib import Path

import numpy as np

from collectors.spool_file import read_segment


def main(argv: list[str]) -> int:
    """Print every reading in the folder's segments; 2 when there is no such folder."""
    if len(argv) != 1 or not Path(argv[0]).is_dir():
        sys.stderr.write("usage: python -m collectors.spooled FOLDER\n")
        return 2
    for path in sorted(Path(argv[0]).glob("*.log")):
        for _, record in read_segment(path):
            for key, value in zip(record.keys, record.values, strict=True):
                if np.isfinite(value):
                    sys.stdout.write(json.dumps([*key, record.at_us], ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
