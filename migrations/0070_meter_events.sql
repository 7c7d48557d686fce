-- What people did to readings on purpose: corrections and exchanges of meters, each of which can be undone.

-- kind 'exchange': the old meter's last register and the new one's first stand as two readings around `from_ts`.
-- kind 'correction': readings of [from_ts, to_ts) were changed as `detail` says.
CREATE TABLE meter_event (
    meter_event_id  bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    kind            text NOT NULL CHECK (kind IN ('correction', 'exchange')),
    point_id        int NOT NULL REFERENCES point (point_id),
    from_ts         timestamptz NOT NULL,
    to_ts           timestamptz NOT NULL,
    detail          jsonb NOT NULL,
    reason          text NOT NULL CHECK (reason <> ''),
    made_by         text NOT NULL,
    made_at         timestamptz NOT NULL,
    undone_by       text,
    undone_at       timestamptz,
    CHECK (from_ts < to_ts),
    CHECK ((undone_by IS NULL) = (undone_at IS NULL))
);
CREATE INDEX meter_event_point ON meter_event (point_id, from_ts);

-- Each reading that an event changed, on both sides: no old value, it was added; no new value, it was removed.
CREATE TABLE meter_event_reading (
    meter_event_id  bigint NOT NULL REFERENCES meter_event (meter_event_id),
    ts              timestamptz NOT NULL,
    old_value       float8,
    new_value       float8,
    old_quality     int2,
    new_quality     int2,
    PRIMARY KEY (meter_event_id, ts),
    CHECK (old_value IS NOT NULL OR new_value IS NOT NULL),
    CHECK ((old_value IS NULL) = (old_quality IS NULL)),
    CHECK ((new_value IS NULL) = (new_quality IS NULL))
);
