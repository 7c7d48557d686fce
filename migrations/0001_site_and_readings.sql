-- The site as applied, and what its points read.

CREATE TABLE site_revision (
    revision    int PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    sha256      text NOT NULL,
    text        text NOT NULL,
    applied_at  timestamptz NOT NULL,
    applied_by  text NOT NULL
);

CREATE TABLE space (
    space_id    text PRIMARY KEY,
    parent_id   text REFERENCES space (space_id),
    kind        text NOT NULL CHECK (kind IN ('site', 'building', 'floor', 'zone', 'room')),
    name        jsonb NOT NULL,
    attributes  jsonb NOT NULL DEFAULT '{}',
    retired_at  timestamptz
);

CREATE TABLE equipment (
    equipment_id   text PRIMARY KEY,
    class          text NOT NULL,
    name           jsonb NOT NULL,
    space_id       text NOT NULL REFERENCES space (space_id),
    connection_id  text,
    profile        text,
    fed_by         text,
    meters         text,
    attributes     jsonb NOT NULL DEFAULT '{}',
    retired_at     timestamptz
);

CREATE TABLE point (
    point_id      int PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    equipment_id  text NOT NULL REFERENCES equipment (equipment_id),
    name          text NOT NULL,
    role          text NOT NULL,
    unit          text NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('gauge', 'counter', 'state')),
    interval_s    real NOT NULL CHECK (interval_s > 0),
    retired_at    timestamptz,
    UNIQUE (equipment_id, name)
);

-- 8-8-4-2 column order saves 13 % of the heap. Partitions are made ahead by store/rollups maintenance.
CREATE TABLE reading (
    ts        timestamptz NOT NULL,
    value     float8 NOT NULL,
    point_id  int NOT NULL,
    quality   int2 NOT NULL DEFAULT 0,
    PRIMARY KEY (point_id, ts)
) PARTITION BY RANGE (ts);
CREATE INDEX reading_ts_brin ON reading USING brin (ts) WITH (pages_per_range = 32);
CREATE TABLE reading_default PARTITION OF reading DEFAULT;

CREATE SEQUENCE reading_batch;

CREATE TABLE latest (
    point_id     int PRIMARY KEY,
    ts           timestamptz NOT NULL,
    value        float8 NOT NULL,
    quality      int2 NOT NULL,
    received_at  timestamptz NOT NULL,
    batch        bigint NOT NULL
) WITH (fillfactor = 50);

-- Which 15-min buckets of which points were touched since their last roll-up.
CREATE TABLE invalidation (
    point_id  int NOT NULL,
    bucket    timestamptz NOT NULL,
    PRIMARY KEY (point_id, bucket)
);

-- n: readings; coverage 0..1 of the expected ones; mean: time-weighted; delta: consumption of a counter over
-- the bucket with resets and rollover told apart (NULL for gauges and states); quality: bitwise OR.
CREATE TABLE reading_15min (
    bucket    timestamptz NOT NULL,
    mean      float8,
    min       float8 NOT NULL,
    max       float8 NOT NULL,
    first     float8 NOT NULL,
    last      float8 NOT NULL,
    delta     float8,
    coverage  real NOT NULL,
    point_id  int NOT NULL,
    n         int NOT NULL,
    quality   int2 NOT NULL DEFAULT 0,
    PRIMARY KEY (point_id, bucket)
);
CREATE TABLE reading_hour (LIKE reading_15min INCLUDING ALL);
-- Site-local days: bucket is the instant of local midnight.
CREATE TABLE reading_day (LIKE reading_15min INCLUDING ALL);

-- Raw readings before this instant may have been dropped; a rollup bucket before it is never recomputed to less.
CREATE TABLE retention_state (
    one            bool PRIMARY KEY DEFAULT true CHECK (one),
    raw_kept_from  timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO retention_state DEFAULT VALUES;

-- State of each device as the collectors see it; a change is also an event.
CREATE TABLE device_state (
    device_id   text PRIMARY KEY,
    online      bool NOT NULL,
    since       timestamptz NOT NULL,
    seen_at     timestamptz,
    detail      text NOT NULL DEFAULT ''
);
CREATE TABLE device_event (
    event_id   bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    device_id  text NOT NULL,
    at         timestamptz NOT NULL,
    online     bool NOT NULL,
    detail     text NOT NULL DEFAULT ''
);
CREATE INDEX device_event_at ON device_event (at DESC);

CREATE TABLE job_progress (
    job         text PRIMARY KEY,
    done        bigint NOT NULL,
    total       bigint NOT NULL,
    detail      jsonb NOT NULL DEFAULT '{}',
    updated_at  timestamptz NOT NULL
);
