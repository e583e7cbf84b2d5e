"""Event source mappings: queues, table streams and Kinesis streams whose records a function gets in batches.

They do what AWS Lambda's do, without its API: a project's configuration and its templates declare them
(``settings``).  ``running.MappingRunner`` polls all of them in one process of those that share a database, and
``MappingRunner.status() -> list[MappingStatus]`` tells how each fares (``status``).  A queue is polled by
``queues``; of a stream, ``streams`` follows the shards and ``lanes`` calls the function with batches in order.
"""
