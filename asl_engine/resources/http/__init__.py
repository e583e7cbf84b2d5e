"""HTTP APIs as tasks."""
