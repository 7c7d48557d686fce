"""The device process: drivers, polling, decoding, spool and writer."""
