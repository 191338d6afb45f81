"""Objects in buckets: what notifications say, which camera an object is of, and reading it; for all such sources."""
