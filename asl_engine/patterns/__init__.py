"""Definitions that are made of what people think in: a saga of steps, each with what undoes it."""
