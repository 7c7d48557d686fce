"""Where the name of an alarm's or an order's equipment leads."""

from energy_center.domain.supervision import COLLECTOR


def equipment_href(equipment_id: str) -> str:
    """The page of the equipment; of a collector process, the page of devices."""
    return "/devices" if equipment_id.startswith(COLLECTOR) else f"/equipment/{equipment_id}"
