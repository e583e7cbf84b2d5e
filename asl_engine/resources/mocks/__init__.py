"""Mocked responses that replace tasks."""
