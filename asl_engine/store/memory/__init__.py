"""A store that forgets, for tests and for runs that are not kept."""
