"""The Step Functions API over HTTP (AWS JSON 1.0): one more face of the engine.

``operations`` is the table of what is answered; a group of operations is a module beside it, and takes
the engine, the store and what it knows of definitions from ``service``.  ``http`` knows the protocol
and nothing of Step Functions, ``running`` starts and stops the whole.
"""
