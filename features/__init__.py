"""Activity log to feature table, always as of an instant."""
