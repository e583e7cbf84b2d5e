"""Python callables as tasks."""
