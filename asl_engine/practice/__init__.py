"""Good practice: for functions, that what was done is not done again; for operators, that what is done is counted.

``idempotency`` is a decorator for tasks on the engine's own keys, ``powertools`` a persistence layer for those who
use Powertools for AWS Lambda; both keep their records in ``records``.  ``metrics`` counts what executions do, as
``moments`` tells it, and ``metrics_page`` shows it beside the API.
"""
