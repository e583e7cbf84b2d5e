"""Warnings about definitions that are valid."""
