"""Tasks that call AWS services: ``aws-sdk:<service>:<action>`` and the optimised integrations.

Everything is data: botocore's service models say which services, actions and fields there are, and
``optimised`` is the table of the integrations that behave in ways of their own.  ``names`` and ``shapes``
translate between botocore and what Step Functions shows; ``clients`` makes the calls; ``tasks`` is the
resource, ``jobs`` waits for what ``.sync`` waits for.  Needs the extra ``aws`` (boto3).
"""
