"""Simulated devices on real sockets: Modbus TCP, BACnet/IP and MQTT, encoding as the manuals say."""
