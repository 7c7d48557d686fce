"""One push channel from the database to open pages."""
