"""Where a SunSpec device has its models: the chain of (model, length) headers after the marker `SunS`.

Pure but for the reader that is passed in. Source: SunSpec Device Information Model Specification 1.1: the
marker stands at 40000, 50000 or 0; a model's first register is its number, the second its length.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from energy_center.errors import NotSupported

MARKER = (0x5375, 0x6E53)
BASES = (40000, 50000, 0)
END_MODEL = 0xFFFF
MAX_MODELS = 64  # more headers than this are not a chain but noise

ReadWords = Callable[[int, int], Awaitable[Sequence[int]]]


async def find_models(read: ReadWords) -> dict[int, int]:
    """Wire address of the first register of each model; of a repeated model the first one.

    `read` takes an address and a count of holding registers.

    Raises:
        NotSupported: no marker at any of the three places, or the chain has no end.
        DeviceAway, BadFrame: from `read`.
    """
    address = await _after_marker(read)
    found: dict[int, int] = {}
    for _ in range(MAX_MODELS):
        model, length = await read(address, 2)
        if model == END_MODEL:
            return found
        found.setdefault(model, address)
        address += 2 + length
    raise NotSupported("The chain of SunSpec models does not end", models=MAX_MODELS)


async def _after_marker(read: ReadWords) -> int:
    for base in BASES:
        try:
            words = await read(base, 2)
        except NotSupported:
            continue
        if tuple(words) == MARKER:
            return base + 2
    raise NotSupported("The device is not SunSpec: no marker at 40000, 50000 or 0")


def start_of(models: Sequence[int], found: Mapping[int, int]) -> int:
    """Where the first model of a choice lies; raises NotSupported where the device has none of them."""
    for model in models:
        if model in found:
            return found[model]
    raise NotSupported("The device has no such SunSpec model", wanted=list(models), has=sorted(found))
