"""Mocked responses in place of tasks."""
