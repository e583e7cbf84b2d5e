"""Good practice for the functions that do the work: what is done once stays done once.

``idempotency`` is a decorator for tasks on the engine's own keys, ``powertools`` a persistence layer for those who
use Powertools for AWS Lambda; both keep their records in ``records``.
"""
