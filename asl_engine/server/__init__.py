"""The Step Functions API over HTTP (AWS JSON 1.0): one more face of the engine.

``operations`` has a module for each group of operations, and a table that names them all.  They share the
engine, the store and compiled definitions through ``service``.  ``protocol`` is the wire protocol and knows
nothing of Step Functions.  ``serve`` starts and stops the server.
"""
