"""Tasks that call AWS services: ``aws-sdk:<service>:<action>`` and the optimised integrations.

Everything is data: botocore's service models define the services, actions and fields, ``sdk_services`` says which
of them Step Functions calls, and ``optimised`` is the table of the integrations with special behaviour.  ``names``
has the words for all of these.  ``requests`` reads a task's parameters along the shapes of a request, ``shapes``
makes a result of an answer, and ``harness`` of a stream.  ``clients`` makes the calls; ``tasks`` is the
resource, ``jobs`` waits for the jobs of ``.sync``.  Needs the extra ``aws`` (boto3).
"""
