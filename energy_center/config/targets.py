"""Connections as the site file writes them, turned into the targets that drivers work from."""

from energy_center.config.bindings import (
    BacnetIp,
    Heartbeat,
    ModbusRtu,
    ModbusTcp,
    MqttBroker,
    SnmpAgent,
    Target,
)
from energy_center.config.site_model import ConnectionEntry


def target_of(entry: ConnectionEntry) -> Target:
    """The one protocol of a connection, resolved."""
    if (modbus := entry.modbus_tcp) is not None:
        return ModbusTcp(
            host=modbus.host,
            port=modbus.port,
            min_gap_s=modbus.min_gap,
            timeout_s=modbus.timeout,
            framing=modbus.framing,
            baud_rate=modbus.baud_rate,
            turnaround_s=modbus.turnaround,
        )
    if (serial := entry.modbus_rtu) is not None:
        return ModbusRtu(
            port=serial.port,
            baud_rate=serial.baud_rate,
            parity=serial.parity,
            stop_bits=serial.stop_bits,
            min_gap_s=serial.min_gap,
            timeout_s=serial.timeout,
            turnaround_s=serial.turnaround,
        )
    if (bacnet := entry.bacnet_ip) is not None:
        return BacnetIp(
            bacnet.host,
            bacnet.port,
            bacnet.device,
            bacnet.timeout,
            bacnet.network,
            bacnet.station,
            bacnet.bbmd,
            bacnet.baud_rate,
            bacnet.turnaround,
        )
    if (mqtt := entry.mqtt) is not None:
        return MqttBroker(**mqtt.model_dump(exclude={"status_topic"}))
    if (snmp := entry.snmp) is not None:
        return SnmpAgent(**snmp.model_dump(exclude={"timeout"}), timeout_s=snmp.timeout)
    if (heartbeat := entry.heartbeat) is not None:
        return Heartbeat(
            host=heartbeat.host,
            port=heartbeat.resolved_port,
            check=heartbeat.check,
            timeout_s=heartbeat.timeout,
            path=heartbeat.path,
            ca_file=heartbeat.ca_file,
        )
    raise AssertionError("the model demands one protocol")
