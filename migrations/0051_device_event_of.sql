-- The last changes of one device, for its page.
CREATE INDEX device_event_of ON device_event (device_id, at DESC);
