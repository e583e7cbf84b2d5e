"""Deploying state machines and functions to AWS."""
