"""A project at work on one machine: its state machines in a server, kept as its files say.

``development`` is what answers and works beside the API.  It makes the state machines that ``definitions`` finds,
and changes them when their files change; ``tasks`` loads changed task callables; ``telling`` says what happens.
"""
