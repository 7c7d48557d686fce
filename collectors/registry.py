"""Which driver serves which kind of connection. Loud: a taken or unknown kind is an error at the start."""

from collections.abc import Callable
from typing import Any

from collectors.driver import BusContext, PolledDriver, PushedDriver
from energy_center.config.bindings import BacnetIp, Heartbeat, ModbusRtu, ModbusTcp, MqttBroker, SnmpAgent

Factory = Callable[[BusContext], PolledDriver[Any] | PushedDriver]

_FACTORIES: dict[type, Factory] = {}


def register(target: type, factory: Factory) -> None:
    """Say which driver serves a kind of connection; raises ValueError when one is registered already."""
    taken = _FACTORIES.get(target)
    if taken is not None:
        raise ValueError(
            f"{target.__name__} is served by {taken.__module__} already; {factory.__module__} cannot be"
        )
    _FACTORIES[target] = factory


def make_driver(context: BusContext) -> PolledDriver[Any] | PushedDriver:
    """The driver of a connection; raises LookupError naming the kinds that are known."""
    target = type(context.connection.target)
    factory = _FACTORIES.get(target)
    if factory is None:
        known = ", ".join(sorted(t.__name__ for t in _FACTORIES))
        raise LookupError(f"no driver for connections of kind {target.__name__}; known are {known}")
    return factory(context)


def _modbus(context: BusContext) -> PolledDriver[Any]:
    from collectors.drivers.modbus import ModbusDriver

    return ModbusDriver(context)


def _bacnet(context: BusContext) -> PolledDriver[Any]:
    from collectors.drivers.bacnet import BacnetDriver

    return BacnetDriver(context)


def _mqtt(context: BusContext) -> PushedDriver:
    from collectors.drivers.mqtt import MqttDriver

    return MqttDriver(context)


def _snmp(context: BusContext) -> PolledDriver[Any]:
    from collectors.drivers.snmp import SnmpDriver

    return SnmpDriver(context)


def _heartbeat(context: BusContext) -> PolledDriver[Any]:
    from collectors.drivers.heartbeat import HeartbeatDriver

    return HeartbeatDriver(context)


register(ModbusTcp, _modbus)
register(ModbusRtu, _modbus)
register(BacnetIp, _bacnet)
register(MqttBroker, _mqtt)
register(SnmpAgent, _snmp)
register(Heartbeat, _heartbeat)
