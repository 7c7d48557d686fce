-- quarter_hours --
-- Recompute the 15-min buckets of strips (a point and a period) from their readings.
-- $1 first bucket of each strip, $2 end (exclusive), $3 its point; strips of one point do not overlap.
-- Readings flagged out of range or sensor fault (bits 1 and 8) are left out. A reading holds until the next one,
-- but only for one interval when the next one comes later than 1.5 intervals. What a strip gives for a bucket
-- depends only on the bucket's own readings and the one before, so any strip gives the same.
-- Gives the number of buckets that stay as they were, because more readings than are left had made them.
WITH strip AS MATERIALIZED (
    SELECT * FROM unnest($1::timestamptz[], $2::timestamptz[], $3::int[]) AS s (start_at, end_at, point_id)
),
pt AS MATERIALIZED (
    SELECT w.point_id, coalesce(p.kind = 'counter', false) AS is_counter,
           coalesce(p.interval_s, 60)::float8 AS interval_s,
           -- how far back the reading before may lie: 2 hours, or what a slow point's interval allows
           greatest(7200, 1.5 * p.interval_s, 1.5 * s.slowest_s)::float8 AS reach_s
    FROM (SELECT DISTINCT point_id FROM strip) AS w LEFT JOIN point AS p USING (point_id)
    LEFT JOIN (SELECT point_id, max(interval_s) AS slowest_s FROM sampling WHERE point_id = ANY ($3)
               GROUP BY point_id) AS s USING (point_id)
),
sampled AS MATERIALIZED (
    SELECT point_id, from_t, interval_s,
           lead(from_t, 1, 'infinity'::float8) OVER (PARTITION BY point_id ORDER BY from_t) AS to_t
    FROM (SELECT point_id, '-infinity'::float8 AS from_t, interval_s FROM pt
          UNION ALL
          SELECT point_id, date_part('epoch', from_ts), interval_s FROM sampling
          WHERE point_id = ANY ($3)) AS s
),
raw AS (
    /* readings */
    UNION ALL
    SELECT strip.point_id, date_part('epoch', strip.start_at), date_part('epoch', b.ts), b.value, b.quality
    FROM strip JOIN pt USING (point_id) CROSS JOIN LATERAL (
        SELECT ts, reading_value(value, digits) AS value, quality FROM reading AS r
        WHERE r.point_id = strip.point_id AND r.ts < strip.start_at
          AND r.ts >= strip.start_at - make_interval(secs => pt.reach_s)
          AND r.quality & 9 = 0
        ORDER BY r.ts DESC LIMIT 1) AS b
),
-- a register that dips or jumps for one reading only is a glitch; told inside a bucket, where both sides are known
neighbours AS (
    SELECT point_id, strip_t, t, value, quality, floor(t / 900) * 900 AS b,
           lag(t) OVER w AS before_t, lag(value) OVER w AS before, lead(t) OVER w AS after_t, lead(value) OVER w AS after
    FROM raw WINDOW w AS (PARTITION BY point_id, strip_t ORDER BY t)
),
usable AS (
    SELECT n.point_id, n.strip_t, n.t, n.value, n.quality, n.b, pt.is_counter, pt.reach_s
    FROM neighbours AS n JOIN pt USING (point_id)
    WHERE (pt.is_counter AND n.before_t >= n.b AND n.after_t < n.b + 900
           AND n.before <= n.after AND (n.value < n.before OR n.value > n.after)) IS NOT TRUE
),
spaced AS (
    SELECT point_id, strip_t, t, value, quality, b, is_counter, reach_s,
           lag(t) OVER w AS before_t, lag(value) OVER w AS before, lead(t) OVER w AS after_t
    FROM usable WINDOW w AS (PARTITION BY point_id, strip_t ORDER BY t)
),
weighed AS (
    SELECT s.*,
           s.before_t IS NULL OR s.before_t < s.b AS is_first,
           s.after_t IS NULL OR s.after_t >= s.b + 900 AS is_last,
           CASE WHEN least(s.after_t, s.b + 900) - s.t <= 1.5 * i.interval_s
                THEN least(s.after_t, s.b + 900) - s.t ELSE i.interval_s END AS held_s,
           CASE WHEN s.before_t >= s.b OR s.before_t IS NULL OR s.t - s.before_t > s.reach_s THEN 0
                WHEN s.t - s.before_t <= 1.5 * i.interval_s THEN s.t - s.b
                ELSE greatest(0, least(s.t, s.before_t + i.interval_s) - s.b) END AS lead_s
    FROM spaced AS s
    JOIN sampled AS i ON i.point_id = s.point_id AND s.b >= i.from_t AND s.b < i.to_t
    WHERE s.t >= s.strip_t
),
computed AS (
    SELECT point_id, to_timestamp(b) AS bucket,
           CASE WHEN NOT is_counter
                THEN sum(held_s * value + lead_s * coalesce(before, 0)) / nullif(sum(held_s + lead_s), 0) END AS mean,
           min(value) AS min, max(value) AS max,
           min(value) FILTER (WHERE is_first) AS first, min(value) FILTER (WHERE is_last) AS last,
           least(1, sum(held_s + lead_s) / 900)::float4 AS coverage,
           count(*)::int AS n, bit_or(quality) AS quality
    FROM weighed GROUP BY point_id, b, is_counter
),
-- where raw readings may be gone already, a few late ones must not replace what many had made
stored AS MATERIALIZED (
    SELECT q.point_id, q.bucket, q.n FROM strip CROSS JOIN LATERAL (
        SELECT point_id, bucket, n FROM reading_15min AS q
        WHERE q.point_id = strip.point_id AND q.bucket >= strip.start_at AND q.bucket < strip.end_at
          AND q.bucket < (SELECT raw_kept_from FROM retention_state) OFFSET 0) AS q
),
written AS (
INSERT INTO reading_15min AS t (bucket, mean, min, max, first, last, coverage, point_id, n, quality)
SELECT c.bucket, c.mean, c.min, c.max, c.first, c.last, c.coverage, c.point_id, c.n, c.quality
FROM computed AS c LEFT JOIN stored AS s USING (point_id, bucket)
WHERE s.n IS NULL OR c.n >= s.n
ON CONFLICT (point_id, bucket) DO UPDATE
SET mean = excluded.mean, min = excluded.min, max = excluded.max, first = excluded.first, last = excluded.last,
    coverage = excluded.coverage, n = excluded.n, quality = excluded.quality
WHERE (t.mean, t.min, t.max, t.first, t.last, t.coverage, t.n, t.quality) IS DISTINCT FROM
      (excluded.mean, excluded.min, excluded.max, excluded.first, excluded.last, excluded.coverage, excluded.n,
       excluded.quality)
)
SELECT count(*) FROM computed AS c JOIN stored AS s USING (point_id, bucket) WHERE c.n < s.n

-- readings_at_once --
-- In `quarter_hours`, for many points over one and the same period: one scan of it.
SELECT point_id, date_part('epoch', ($1::timestamptz[])[1]) AS strip_t, date_part('epoch', ts) AS t,
       reading_value(value, digits) AS value, quality
FROM reading
WHERE point_id = ANY ($3) AND ts >= ($1::timestamptz[])[1] AND ts < ($2::timestamptz[])[1] AND quality & 9 = 0

-- readings_by_strip --
-- In `quarter_hours`, for few points or scattered periods: a look-up in the index for each.
SELECT strip.point_id, date_part('epoch', strip.start_at) AS strip_t, date_part('epoch', r.ts) AS t, r.value, r.quality
FROM strip CROSS JOIN LATERAL (
    SELECT ts, reading_value(value, digits) AS value, quality FROM reading AS r
    WHERE r.point_id = strip.point_id AND r.ts >= strip.start_at AND r.ts < strip.end_at
      AND r.quality & 9 = 0 OFFSET 0) AS r

-- not_carried --
-- Remove what `carried` had made of readings before, so that it can be made anew. Arguments as there.
DELETE FROM reading_15min
WHERE point_id = ANY ($3::int[]) AND bucket >= $1 AND bucket < $2 AND n = 0
  AND bucket >= (SELECT raw_kept_from FROM retention_state)

-- carried --
-- Buckets of slow points without a reading of their own, between two readings; n is 0. Before `quarter_hours`.
-- A gauge holds until the next reading, but only for one interval when that comes later than 1.5 intervals. A
-- counter rises evenly to its next reading, where that comes in time and the rise is believable.
-- Only points read less often than every 15 min have such buckets.
-- $1 first bucket, $2 end (exclusive), $3 point ids, $4 how far back to look, as an interval.
WITH pt AS MATERIALIZED (
    SELECT point_id, kind = 'counter' AS is_counter, interval_s::float8 AS interval_s, max_rate_per_h, rollover_at
    FROM point WHERE point_id = ANY ($3::int[])
),
sampled AS MATERIALIZED (
    SELECT point_id, from_t, interval_s,
           lead(from_t, 1, 'infinity'::float8) OVER (PARTITION BY point_id ORDER BY from_t) AS to_t
    FROM (SELECT point_id, '-infinity'::float8 AS from_t, interval_s FROM pt
          UNION ALL
          SELECT point_id, date_part('epoch', from_ts), interval_s FROM sampling
          WHERE point_id = ANY ($3)) AS s
),
around AS (
    SELECT point_id, ts, reading_value(value, digits) AS value, quality FROM reading
    WHERE point_id = ANY ($3) AND ts >= $1::timestamptz - $4::interval AND ts < $2 AND quality & 9 = 0
    UNION ALL
    SELECT pt.point_id, n.ts, n.value, n.quality
    FROM pt CROSS JOIN LATERAL (
        SELECT ts, reading_value(value, digits) AS value, quality FROM reading AS r
        WHERE r.point_id = pt.point_id AND r.ts >= $2 AND r.quality & 9 = 0 ORDER BY r.ts LIMIT 1) AS n
),
held AS (
    SELECT point_id, value, quality, date_part('epoch', ts) AS t,
           date_part('epoch', lead(ts) OVER w) AS after_t, lead(value) OVER w AS after
    FROM around
    WINDOW w AS (PARTITION BY point_id ORDER BY ts)
),
paired AS (
    SELECT h.point_id, h.value, h.quality, h.t, h.after_t, pt.is_counter,
           (h.after - h.value) / (h.after_t - h.t) AS slope
    FROM held AS h JOIN pt USING (point_id)
    WHERE h.after_t IS NOT NULL
      AND (NOT pt.is_counter OR h.after >= h.value AND h.after - h.value =
           counter_step(h.value, h.after, (h.after_t - h.t) / 3600, pt.max_rate_per_h, pt.rollover_at))
),
spread AS (
    SELECT h.point_id, h.value, h.quality, h.is_counter, g.b,
           CASE WHEN h.after_t - h.t <= 1.5 * i.interval_s THEN 900
                WHEN h.is_counter THEN 0
                ELSE least(h.t + i.interval_s, g.b + 900) - g.b END AS covered_s,
           h.value + h.slope * (g.b - h.t) AS first, h.value + h.slope * (g.b + 900 - h.t) AS last
    FROM paired AS h
    CROSS JOIN LATERAL generate_series(
        floor(h.t / 900)::bigint + 1,
        least(floor(h.after_t / 900)::bigint - 1, floor((h.t + date_part('epoch', $4::interval)) / 900)::bigint)
    ) AS s (number)
    CROSS JOIN LATERAL (SELECT s.number * 900::float8 AS b) AS g
    JOIN sampled AS i ON i.point_id = h.point_id AND g.b >= i.from_t AND g.b < i.to_t
    WHERE i.interval_s > 900
)
INSERT INTO reading_15min AS t
    (bucket, mean, min, max, first, last, coverage, point_id, n, quality)
SELECT to_timestamp(b), CASE WHEN NOT is_counter THEN value END,
       CASE WHEN is_counter THEN first ELSE value END, CASE WHEN is_counter THEN last ELSE value END,
       CASE WHEN is_counter THEN first ELSE value END, CASE WHEN is_counter THEN last ELSE value END,
       (covered_s / 900)::float4, point_id, 0, quality
FROM spread
WHERE covered_s > 0 AND to_timestamp(b) >= $1 AND to_timestamp(b) < $2
ON CONFLICT (point_id, bucket) DO NOTHING

-- readings_before --
-- The last usable reading before an instant, of each point that has one. $1 point ids, $2 the instants.
SELECT p.point_id, b.ts
FROM unnest($1::int[], $2::timestamptz[]) AS p (point_id, before) CROSS JOIN LATERAL (
    SELECT ts FROM reading AS r
    WHERE r.point_id = p.point_id AND r.ts < p.before AND r.quality & 9 = 0 ORDER BY r.ts DESC LIMIT 1) AS b

-- vacated_hours --
-- Remove hours of slow points whose quarters are all gone. Arguments as `hours`.
DELETE FROM reading_hour AS h
WHERE point_id = ANY ($3::int[]) AND bucket >= date_trunc('hour', $1::timestamptz, $4) AND bucket < $2
  AND bucket >= (SELECT raw_kept_from FROM retention_state)
  AND NOT EXISTS (SELECT FROM reading_15min AS q WHERE q.point_id = h.point_id
                  AND q.bucket >= h.bucket AND q.bucket < h.bucket + interval '1 hour')

-- vacated_days --
-- Remove days of slow points whose hours are all gone. Arguments as `hours`.
DELETE FROM reading_day AS d
WHERE point_id = ANY ($3::int[]) AND bucket >= date_trunc('day', $1::timestamptz, $4) AND bucket < $2
  AND bucket >= (SELECT raw_kept_from FROM retention_state)
  AND NOT EXISTS (SELECT FROM reading_hour AS h WHERE h.point_id = d.point_id AND h.bucket >= d.bucket
                  AND h.bucket < (d.bucket AT TIME ZONE $4 + interval '1 day') AT TIME ZONE $4)

-- hours --
-- Build the local hours of strips from their 15-min buckets.
-- $1 start of the first hour of each strip, $2 end of its last, $3 its point, $4 time zone.
INSERT INTO reading_hour AS t (bucket, mean, min, max, first, last, coverage, point_id, n, quality)
SELECT date_trunc('hour', bucket, $4), sum(mean * coverage) / nullif(sum(coverage), 0), min(min), max(max),
       (array_agg(first ORDER BY bucket))[1], (array_agg(last ORDER BY bucket DESC))[1],
       least(1, sum(coverage) / 4), q.point_id, sum(n), bit_or(quality)
FROM unnest($1::timestamptz[], $2::timestamptz[], $3::int[]) AS strip (start_at, end_at, point_id)
CROSS JOIN LATERAL (
    SELECT * FROM reading_15min AS q
    WHERE q.point_id = strip.point_id AND q.bucket >= strip.start_at AND q.bucket < strip.end_at OFFSET 0) AS q
GROUP BY q.point_id, 1
ON CONFLICT (point_id, bucket) DO UPDATE
SET mean = excluded.mean, min = excluded.min, max = excluded.max, first = excluded.first, last = excluded.last,
    coverage = excluded.coverage, n = excluded.n, quality = excluded.quality
WHERE (t.mean, t.min, t.max, t.first, t.last, t.coverage, t.n, t.quality) IS DISTINCT FROM
      (excluded.mean, excluded.min, excluded.max, excluded.first, excluded.last,
       excluded.coverage, excluded.n, excluded.quality)

-- days --
-- Build the local days of strips from their hours; a day has 23, 24 or 25 of them. Arguments as `hours`, of days.
INSERT INTO reading_day AS t (bucket, mean, min, max, first, last, coverage, point_id, n, quality)
SELECT day, sum(mean * coverage) / nullif(sum(coverage), 0), min(min), max(max),
       (array_agg(first ORDER BY bucket))[1], (array_agg(last ORDER BY bucket DESC))[1],
       least(1, sum(coverage) * 3600
                / date_part('epoch', (day AT TIME ZONE $4 + interval '1 day') AT TIME ZONE $4 - day)),
       h.point_id, sum(n), bit_or(quality)
FROM unnest($1::timestamptz[], $2::timestamptz[], $3::int[]) AS strip (start_at, end_at, point_id)
CROSS JOIN LATERAL (
    SELECT h.*, date_trunc('day', bucket, $4) AS day FROM reading_hour AS h
    WHERE h.point_id = strip.point_id AND h.bucket >= strip.start_at AND h.bucket < strip.end_at OFFSET 0) AS h
GROUP BY h.point_id, day
ON CONFLICT (point_id, bucket) DO UPDATE
SET mean = excluded.mean, min = excluded.min, max = excluded.max, first = excluded.first, last = excluded.last,
    coverage = excluded.coverage, n = excluded.n, quality = excluded.quality
WHERE (t.mean, t.min, t.max, t.first, t.last, t.coverage, t.n, t.quality) IS DISTINCT FROM
      (excluded.mean, excluded.min, excluded.max, excluded.first, excluded.last,
       excluded.coverage, excluded.n, excluded.quality)
