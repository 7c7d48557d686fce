-- raw --
-- One point's readings. $1 point id, $2 first instant, $3 end (exclusive), $4 at most so many.
SELECT point_id, ts, reading_value(value, digits), quality FROM reading
WHERE point_id = $1 AND ts >= $2 AND ts < $3 ORDER BY ts LIMIT $4

-- 15min --
-- One point's quarters of an hour; arguments as above.
SELECT point_id, bucket, coalesce(mean, last), min, max, first, last, coverage::float8, quality
FROM reading_15min
WHERE point_id = $1 AND bucket >= $2 AND bucket < $3 ORDER BY bucket LIMIT $4

-- hour --
-- One point's hours in the site's time zone; arguments as above.
SELECT point_id, bucket, coalesce(mean, last), min, max, first, last, coverage::float8, quality
FROM reading_hour
WHERE point_id = $1 AND bucket >= $2 AND bucket < $3 ORDER BY bucket LIMIT $4

-- day --
-- One point's days in the site's time zone; arguments as above.
SELECT point_id, bucket, coalesce(mean, last), min, max, first, last, coverage::float8, quality
FROM reading_day
WHERE point_id = $1 AND bucket >= $2 AND bucket < $3 ORDER BY bucket LIMIT $4

-- hour_elsewhere --
-- One point's hours in another time zone, whose hours may begin at another quarter; from the quarters.
-- $1 point id, $2 start of the first hour, $3 start of an hour (exclusive), $4 time zone.
SELECT point_id, at, coalesce(sum(mean * coverage) / nullif(sum(coverage), 0), (array_agg(last ORDER BY bucket DESC))[1]),
       min(min), max(max), (array_agg(first ORDER BY bucket))[1], (array_agg(last ORDER BY bucket DESC))[1],
       least(1, sum(coverage) / 4)::float8, bit_or(quality)
FROM (SELECT q.*, date_trunc('hour', bucket, $4) AS at FROM reading_15min AS q
      WHERE point_id = $1 AND bucket >= $2 AND bucket < $3) AS q
GROUP BY point_id, at ORDER BY at

-- day_elsewhere --
-- One point's days in another time zone, each 23 to 25 hours long; arguments as above, of days.
SELECT point_id, at, coalesce(sum(mean * coverage) / nullif(sum(coverage), 0), (array_agg(last ORDER BY bucket DESC))[1]),
       min(min), max(max), (array_agg(first ORDER BY bucket))[1], (array_agg(last ORDER BY bucket DESC))[1],
       least(1, sum(coverage) * 900
                / date_part('epoch', (at AT TIME ZONE $4 + interval '1 day') AT TIME ZONE $4 - at))::float8,
       bit_or(quality)
FROM (SELECT q.*, date_trunc('day', bucket, $4) AS at FROM reading_15min AS q
      WHERE point_id = $1 AND bucket >= $2 AND bucket < $3) AS q
GROUP BY point_id, at ORDER BY at

-- neighbours --
-- Roll-ups on both sides of a period; the table is that of the grain.
-- $1 point ids, $2 first instant, $3 end (exclusive), $4 at most so many on each side.
SELECT r.point_id, r.bucket, coalesce(r.mean, r.last), r.min, r.max, r.first, r.last, r.coverage::float8, r.quality
FROM unnest($1::int[]) AS p (point_id) CROSS JOIN LATERAL (
    (SELECT q.* FROM reading_15min AS q WHERE q.point_id = p.point_id AND q.bucket < $2
     ORDER BY q.bucket DESC LIMIT $4)
    UNION ALL
    (SELECT q.* FROM reading_15min AS q WHERE q.point_id = p.point_id AND q.bucket >= $3
     ORDER BY q.bucket LIMIT $4)) AS r
ORDER BY r.point_id, r.bucket
