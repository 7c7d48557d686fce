-- A reading may be stored in units of its last digit: value / 10 ^ digits, exactly. Whole numbers are what TimescaleDB
-- compresses well (3.5 bytes a reading instead of 8.4); elsewhere digits is 0. In a row it takes what was padding.
ALTER TABLE reading ADD COLUMN digits int2 NOT NULL DEFAULT 0;

CREATE FUNCTION reading_value(value float8, digits int2) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN digits = 0 THEN value ELSE value / power(10::float8, digits::float8) END
$$;
