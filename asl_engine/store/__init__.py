"""Stores keep executions, in memory or in a database: `protocol` says what a store does."""
