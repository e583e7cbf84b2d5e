"""An event bus in the shape of Amazon EventBridge, in the engine's own database.

``language`` is pure: event patterns, input transformers, schedule expressions.  The rest accepts events, keeps
them with their deliveries, and delivers.  Not to be confused with ``core.events``: those are the steps of an
execution.
"""
