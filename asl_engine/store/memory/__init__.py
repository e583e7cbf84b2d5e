"""The in-memory store, for tests and for runs that are not kept."""
