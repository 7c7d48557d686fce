-- quarter_hours --
-- Recompute the 15-min buckets of some points from their readings.
-- $1 first bucket, $2 end (exclusive), $3 point ids.
-- Readings flagged out of range or sensor fault (bits 1 and 8) are left out. A reading holds until the next one,
-- but only for one interval when the next one comes later than 1.5 intervals. What a rectangle gives for a bucket
-- depends only on the bucket's own readings and the one before, so any rectangle gives the same.
WITH pt AS MATERIALIZED (
    SELECT w.point_id, coalesce(p.kind = 'counter', false) AS is_counter, p.max_rate_per_h, p.rollover_at,
           coalesce(p.interval_s, 60)::float8 AS interval_s,
           -- how far back the reading before may lie: 2 hours, or what a slow point's interval allows
           greatest(7200, 1.5 * p.interval_s, 1.5 * s.slowest_s)::float8 AS reach_s
    FROM unnest($3::int[]) AS w (point_id) LEFT JOIN point AS p USING (point_id)
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
    SELECT point_id, date_part('epoch', ts) AS t, value, quality FROM reading
    WHERE point_id = ANY ($3) AND ts >= $1 AND ts < $2 AND quality & 9 = 0
    UNION ALL
    SELECT pt.point_id, date_part('epoch', b.ts), b.value, b.quality
    FROM pt CROSS JOIN LATERAL (
        SELECT ts, value, quality FROM reading AS r
        WHERE r.point_id = pt.point_id AND r.ts < $1
          AND r.ts >= $1::timestamptz - make_interval(secs => pt.reach_s)
          AND r.quality & 9 = 0
        ORDER BY r.ts DESC LIMIT 1) AS b
),
-- a register that dips or jumps for one reading only is a glitch; told inside a bucket, where both sides are known
neighbours AS (
    SELECT point_id, t, value, quality, floor(t / 900) * 900 AS b,
           lag(t) OVER w AS before_t, lag(value) OVER w AS before, lead(t) OVER w AS after_t, lead(value) OVER w AS after
    FROM raw WINDOW w AS (PARTITION BY point_id ORDER BY t)
),
usable AS (
    SELECT n.point_id, n.t, n.value, n.quality, n.b, pt.is_counter, pt.max_rate_per_h, pt.rollover_at, pt.reach_s
    FROM neighbours AS n JOIN pt USING (point_id)
    WHERE (pt.is_counter AND n.before_t >= n.b AND n.after_t < n.b + 900
           AND n.before <= n.after AND (n.value < n.before OR n.value > n.after)) IS NOT TRUE
),
spaced AS (
    SELECT point_id, t, value, quality, b, is_counter, max_rate_per_h, rollover_at, reach_s,
           lag(t) OVER w AS before_t, lag(value) OVER w AS before, lead(t) OVER w AS after_t
    FROM usable WINDOW w AS (PARTITION BY point_id ORDER BY t)
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
    WHERE s.t >= date_part('epoch', $1::timestamptz)
),
computed AS (
    SELECT point_id, to_timestamp(b) AS bucket, is_counter, max_rate_per_h, rollover_at,
           CASE WHEN NOT is_counter
                THEN sum(held_s * value + lead_s * coalesce(before, 0)) / nullif(sum(held_s + lead_s), 0) END AS mean,
           min(value) AS min, max(value) AS max,
           min(value) FILTER (WHERE is_first) AS first, min(value) FILTER (WHERE is_last) AS last,
           CASE WHEN is_counter
                THEN coalesce(sum(counter_step(before, value, (t - before_t) / 3600, max_rate_per_h, rollover_at))
                              FILTER (WHERE NOT is_first), 0) END AS within,
           least(1, sum(held_s + lead_s) / 900)::float4 AS coverage,
           count(*)::int AS n, bit_or(quality) AS quality
    FROM weighed GROUP BY point_id, b, is_counter, max_rate_per_h, rollover_at
),
stored AS MATERIALIZED (
    SELECT point_id, bucket, last, n FROM reading_15min
    WHERE point_id = ANY ($3) AND bucket >= $1 AND bucket < $2
),
-- where raw readings may be gone already, a few late ones must not replace what many had made
fresh AS MATERIALIZED (
    SELECT c.* FROM computed AS c LEFT JOIN stored AS s USING (point_id, bucket)
    WHERE s.n IS NULL OR c.n >= s.n OR c.bucket >= (SELECT raw_kept_from FROM retention_state)
),
chain AS (
    SELECT point_id, bucket, is_counter, max_rate_per_h, rollover_at, mean, min, max, first, last, within, coverage,
           n, quality, true AS is_fresh FROM fresh
    UNION ALL
    SELECT s.point_id, s.bucket, NULL, NULL, NULL, NULL, NULL, NULL, NULL, s.last, NULL, NULL, NULL, NULL, false
    FROM stored AS s WHERE NOT EXISTS (SELECT FROM fresh AS f WHERE f.point_id = s.point_id AND f.bucket = s.bucket)
    UNION ALL
    SELECT pt.point_id, b.bucket, NULL, NULL, NULL, NULL, NULL, NULL, NULL, b.last, NULL, NULL, NULL, NULL, false
    FROM pt CROSS JOIN LATERAL (
        SELECT bucket, last FROM reading_15min AS q
        WHERE q.point_id = pt.point_id AND q.bucket < $1 ORDER BY q.bucket DESC LIMIT 1) AS b
    WHERE pt.is_counter
),
linked AS (
    SELECT chain.*, lag(last) OVER w AS before_last, lag(bucket) OVER w AS before_bucket
    FROM chain WINDOW w AS (PARTITION BY point_id ORDER BY bucket)
)
INSERT INTO reading_15min AS t
    (bucket, mean, min, max, first, last, delta, within, coverage, point_id, n, quality)
SELECT bucket, mean, min, max, first, last,
       CASE WHEN is_counter THEN within + coalesce(counter_step(before_last, first,
           date_part('epoch', bucket - before_bucket) / 3600 + 0.25, max_rate_per_h, rollover_at), 0) END,
       within, coverage, point_id, n, quality
FROM linked WHERE is_fresh
ON CONFLICT (point_id, bucket) DO UPDATE
SET mean = excluded.mean, min = excluded.min, max = excluded.max, first = excluded.first, last = excluded.last,
    delta = excluded.delta, within = excluded.within, coverage = excluded.coverage, n = excluded.n,
    quality = excluded.quality
WHERE (t.mean, t.min, t.max, t.first, t.last, t.delta, t.within, t.coverage, t.n, t.quality) IS DISTINCT FROM
      (excluded.mean, excluded.min, excluded.max, excluded.first, excluded.last, excluded.delta, excluded.within,
       excluded.coverage, excluded.n, excluded.quality)

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
    SELECT point_id, ts, value, quality FROM reading
    WHERE point_id = ANY ($3) AND ts >= $1::timestamptz - $4::interval AND ts < $2 AND quality & 9 = 0
    UNION ALL
    SELECT pt.point_id, n.ts, n.value, n.quality
    FROM pt CROSS JOIN LATERAL (
        SELECT ts, value, quality FROM reading AS r
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
           h.value + h.slope * (g.b - h.t) AS first, h.value + h.slope * (g.b + 900 - h.t) AS last,
           CASE WHEN g.b - h.t <= 900 THEN h.value ELSE h.value + h.slope * (g.b - h.t) END AS before
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
    (bucket, mean, min, max, first, last, delta, within, coverage, point_id, n, quality)
SELECT to_timestamp(b), CASE WHEN NOT is_counter THEN value END,
       CASE WHEN is_counter THEN first ELSE value END, CASE WHEN is_counter THEN last ELSE value END,
       CASE WHEN is_counter THEN first ELSE value END, CASE WHEN is_counter THEN last ELSE value END,
       CASE WHEN is_counter THEN last - before END, CASE WHEN is_counter THEN last - first END,
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

-- relink --
-- Correct the consumption of the first bucket at or after a period, whose start is the last reading before it; and
-- inside the period where raw readings may be gone, because those buckets were not recomputed.
-- $1 first bucket, $2 end of the period, $3 point ids. Gives what changed.
WITH later AS (
    SELECT p.point_id, p.max_rate_per_h, p.rollover_at, q.bucket, q.first, q.within
    FROM point AS p CROSS JOIN LATERAL (
        (SELECT bucket, first, within FROM reading_15min AS q
         WHERE q.point_id = p.point_id AND q.bucket >= $2 ORDER BY q.bucket LIMIT 1)
        UNION ALL
        SELECT bucket, first, within FROM reading_15min AS q
        WHERE q.point_id = p.point_id AND q.bucket >= $1 AND q.bucket < $2
          AND q.bucket < (SELECT raw_kept_from FROM retention_state)) AS q
    WHERE p.point_id = ANY ($3::int[]) AND p.kind = 'counter'
),
corrected AS (
    SELECT l.point_id, l.bucket,
           l.within + coalesce(counter_step(e.last, l.first, date_part('epoch', l.bucket - e.bucket) / 3600 + 0.25,
                                            l.max_rate_per_h, l.rollover_at), 0) AS delta
    FROM later AS l LEFT JOIN LATERAL (
        SELECT bucket, last FROM reading_15min AS q
        WHERE q.point_id = l.point_id AND q.bucket < l.bucket ORDER BY q.bucket DESC LIMIT 1) AS e ON true
)
UPDATE reading_15min AS t
SET delta = c.delta
FROM corrected AS c
WHERE t.point_id = c.point_id AND t.bucket = c.bucket AND t.delta IS DISTINCT FROM c.delta
RETURNING t.point_id, t.bucket

-- hours --
-- Build the local hours that touch a period from their 15-min buckets.
-- $1 first instant, $2 end (exclusive), $3 point ids, $4 time zone.
INSERT INTO reading_hour AS t (bucket, mean, min, max, first, last, delta, coverage, point_id, n, quality)
SELECT date_trunc('hour', bucket, $4), sum(mean * coverage) / nullif(sum(coverage), 0), min(min), max(max),
       (array_agg(first ORDER BY bucket))[1], (array_agg(last ORDER BY bucket DESC))[1],
       sum(delta), least(1, sum(coverage) / 4), point_id, sum(n), bit_or(quality)
FROM reading_15min
WHERE point_id = ANY ($3::int[]) AND bucket >= date_trunc('hour', $1::timestamptz, $4)
  AND bucket < date_trunc('hour', $2::timestamptz - interval '1 microsecond', $4) + interval '1 hour'
GROUP BY point_id, 1
ON CONFLICT (point_id, bucket) DO UPDATE
SET mean = excluded.mean, min = excluded.min, max = excluded.max, first = excluded.first, last = excluded.last,
    delta = excluded.delta, coverage = excluded.coverage, n = excluded.n, quality = excluded.quality
WHERE (t.mean, t.min, t.max, t.first, t.last, t.delta, t.coverage, t.n, t.quality) IS DISTINCT FROM
      (excluded.mean, excluded.min, excluded.max, excluded.first, excluded.last, excluded.delta,
       excluded.coverage, excluded.n, excluded.quality)

-- days --
-- Build the local days that touch a period from their hours; a day has 23, 24 or 25 of them.
-- $1 first instant, $2 end (exclusive), $3 point ids, $4 time zone.
WITH span AS (
    SELECT date_trunc('day', $1::timestamptz, $4) AS from_day,
           (date_trunc('day', $2::timestamptz - interval '1 microsecond', $4) AT TIME ZONE $4 + interval '1 day')
               AT TIME ZONE $4 AS to_day
)
INSERT INTO reading_day AS t (bucket, mean, min, max, first, last, delta, coverage, point_id, n, quality)
SELECT day, sum(mean * coverage) / nullif(sum(coverage), 0), min(min), max(max),
       (array_agg(first ORDER BY bucket))[1], (array_agg(last ORDER BY bucket DESC))[1], sum(delta),
       least(1, sum(coverage) * 3600
                / date_part('epoch', (day AT TIME ZONE $4 + interval '1 day') AT TIME ZONE $4 - day)),
       point_id, sum(n), bit_or(quality)
FROM (SELECT h.*, date_trunc('day', bucket, $4) AS day FROM reading_hour AS h, span
      WHERE point_id = ANY ($3::int[]) AND bucket >= span.from_day AND bucket < span.to_day) AS h
GROUP BY point_id, day
ON CONFLICT (point_id, bucket) DO UPDATE
SET mean = excluded.mean, min = excluded.min, max = excluded.max, first = excluded.first, last = excluded.last,
    delta = excluded.delta, coverage = excluded.coverage, n = excluded.n, quality = excluded.quality
WHERE (t.mean, t.min, t.max, t.first, t.last, t.delta, t.coverage, t.n, t.quality) IS DISTINCT FROM
      (excluded.mean, excluded.min, excluded.max, excluded.first, excluded.last, excluded.delta,
       excluded.coverage, excluded.n, excluded.quality)
