"""Paths of the JSONPath query language, compiled to closures."""
