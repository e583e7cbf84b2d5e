"""Tasks that call AWS services: ``aws-sdk:<service>:<action>`` and the optimised integrations.

Everything is data: botocore's service models define the services, actions and fields, and
``optimised`` is the table of the integrations with special behaviour.  ``names`` and ``shapes``
translate between botocore and what Step Functions shows; ``clients`` makes the calls; ``tasks`` is the
resource, ``jobs`` waits for the jobs of ``.sync``.  Needs the extra ``aws`` (boto3).
"""
