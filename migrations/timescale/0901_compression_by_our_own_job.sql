-- The worker compresses old chunks itself: that needs no background workers, follows a change of the licence level,
-- and compresses again what late readings have opened. A policy that an operator adds later is left alone.
DO $$
BEGIN
    IF current_setting('timescaledb.license', true) = 'timescale' THEN
        PERFORM remove_compression_policy('reading', if_exists => true);
    END IF;
END $$;
