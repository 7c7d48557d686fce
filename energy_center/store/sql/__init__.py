"""Named queries: each `.sql` file here holds some, headed by `-- name --` and their purpose and arguments."""

import re
from functools import cache
from importlib.resources import files


@cache
def queries(name: str) -> dict[str, str]:
    """The queries of `<name>.sql` by their names."""
    text = (files(__package__) / f"{name}.sql").read_text(encoding="utf-8")
    parts = re.split(r"^-- (\w+) --$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))
