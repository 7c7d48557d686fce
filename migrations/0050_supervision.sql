-- How collection goes, as each collector last told it. One row a collector, bus and device: nothing here grows.
-- Counts run since the collector's start. What a device's state was when is in device_event.

CREATE TABLE collector_state (
    collector_id      text PRIMARY KEY,
    host              text NOT NULL,
    pid               int NOT NULL,
    started_at        timestamptz NOT NULL,
    at                timestamptz NOT NULL,  -- its last sign of life, written about every 10 s
    stopped           bool NOT NULL,         -- it ended by itself, as told to
    points            int NOT NULL,
    site_sha256       text NOT NULL,
    reload_mistakes   jsonb NOT NULL,        -- why the newest site file was refused; [] when it was not
    database_away_since timestamptz,
    cpu_share         float8 NOT NULL,       -- 0..1 of one core in the last period
    memory_bytes      bigint NOT NULL,
    committed         bigint NOT NULL,       -- readings, as are sent and dropped
    sent              bigint NOT NULL,
    dropped           bigint NOT NULL,
    last_dropped_at   timestamptz,
    backlog_bytes     bigint NOT NULL,
    oldest_unsent_at  timestamptz,
    commit_s          float8 NOT NULL,
    unknown_bytes     bigint NOT NULL,       -- set aside: of points that the applied site does not have
    future_bytes      bigint NOT NULL,       -- set aside: stamped in the future
    unreadable_bytes  bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE bus_state (
    collector_id      text NOT NULL REFERENCES collector_state (collector_id) ON DELETE CASCADE,
    connection_id     text NOT NULL,
    protocol          text NOT NULL,
    connected_since   timestamptz,
    connects          int NOT NULL,
    failed_connects   int NOT NULL,
    busy_share        float8,                -- 0..1 of the last period with a request in flight; NULL: a broker
    overdue           int NOT NULL,
    urgent            int NOT NULL,
    urgent_wait_s     float8 NOT NULL,       -- all of them together
    overruns          bigint NOT NULL,
    malformed         bigint NOT NULL,
    malformed_samples jsonb NOT NULL,
    PRIMARY KEY (collector_id, connection_id)
) WITH (fillfactor = 50);

CREATE TABLE device_health (
    collector_id      text NOT NULL REFERENCES collector_state (collector_id) ON DELETE CASCADE,
    device_id         text NOT NULL,
    connection_id     text NOT NULL,
    condition         text NOT NULL CHECK (condition IN ('online', 'resting', 'away', 'never')),
    last_good_at      timestamptz,
    round_trip_s      float8,                -- smoothed mean; NULL: it publishes on its own, or never answered
    round_trip_p95_s  float8,
    requests          bigint NOT NULL,
    samples           bigint NOT NULL,
    readings          bigint NOT NULL,
    readings_per_s    float8 NOT NULL,
    requests_per_s    float8 NOT NULL,
    overruns          bigint NOT NULL,
    errors            jsonb NOT NULL,        -- [{"kind", "code", "count"}]
    last_error        jsonb,                 -- {"at", "kind", "said"}
    PRIMARY KEY (collector_id, device_id)
) WITH (fillfactor = 50);
