"""One SQLite file: records and inbox."""
