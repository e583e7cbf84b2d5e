"""AWS's other services on this machine: queues, tables, topics, buckets, secrets.

They are moto's server in a process of its own (the extra ``emulation``), which keeps everything in memory.  The
engine has none of them by itself; Step Functions, the event bus and the functions are its own, and never moto's.
``emulator`` keeps the process, ``surroundings`` leads functions to it, ``declared`` and ``making`` put there what
a project declares, ``relays`` calls functions for topics and buckets, and ``mount`` has all of it in a server.
"""
