-- Turn `reading` into a hypertable with the same columns and key. Runs once, normally while it is still empty.
CREATE EXTENSION IF NOT EXISTS timescaledb;

ALTER TABLE reading RENAME TO reading_partitioned;
ALTER INDEX reading_ts_brin RENAME TO reading_partitioned_ts_brin;
ALTER TABLE reading_partitioned RENAME CONSTRAINT reading_pkey TO reading_partitioned_pkey;

CREATE TABLE reading (
    ts        timestamptz NOT NULL,
    value     float8 NOT NULL,
    point_id  int NOT NULL,
    quality   int2 NOT NULL DEFAULT 0,
    PRIMARY KEY (point_id, ts)
);
SELECT create_hypertable('reading', 'ts', chunk_time_interval => interval '7 days', create_default_indexes => false);
CREATE INDEX reading_ts_brin ON reading USING brin (ts) WITH (pages_per_range = 32);

INSERT INTO reading (ts, value, point_id, quality)
SELECT ts, value, point_id, quality FROM reading_partitioned ORDER BY point_id, ts;
DROP TABLE reading_partitioned;

-- Compression needs the community licence level; with the Apache level the hypertable stays uncompressed.
DO $$
BEGIN
    IF current_setting('timescaledb.license', true) = 'timescale' THEN
        EXECUTE 'ALTER TABLE reading SET (timescaledb.compress, timescaledb.compress_segmentby = ''point_id'', '
             || 'timescaledb.compress_orderby = ''ts'')';
        PERFORM add_compression_policy('reading', interval '7 days');
    END IF;
END $$;
