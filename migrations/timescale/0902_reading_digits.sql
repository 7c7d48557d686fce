-- As 0076_reading_digits, where the hypertable was made after it.
ALTER TABLE reading ADD COLUMN IF NOT EXISTS digits int2 NOT NULL DEFAULT 0;
