"""The worker process: the table of periodic jobs."""
