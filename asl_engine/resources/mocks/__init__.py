"""Mocked responses that replace tasks."""

from __future__ import annotations

__all__ = ["MOCK_CASE"]

MOCK_CASE = "mock_case"  # the option of executions that runs a test case
