"""The HTTP APIs of a project, in API Gateway's shape: routes to functions and state machines.

``routes`` finds the route of a request, ``proxy_events`` and ``proxy_answers`` are what a function gets and gives,
``mapping_templates`` and ``parameters`` what a service gets; ``integrations`` does what a route says, ``app``
answers.  It is no client of AWS, and nothing of a real API Gateway is asked.
"""
