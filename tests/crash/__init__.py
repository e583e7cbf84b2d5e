"""Nothing is lost and nothing is done twice: tried by killing, by cutting the power, and by filling the disk.

``python -m tests.crash`` runs workflows of every kind, under ``asl run`` and under ``asl serve``, and takes their
process away from them again and again.  After each blow it looks at the database and at what the tasks have done,
and goes on with ``asl resume``, ``asl redrive`` or another ``asl serve``, until the execution has ended.  Then the
laws of ``laws`` are held against what is left.

- A *kill* is a SIGKILL: at a chosen commit (``points``), or at a random instant.
- A *power cut* loses what was written and not synced (``power``).
- A *fault* is a disk that is full, or broken, for some writes.

A life is a process of the command line, forked from this one, which has imported everything: so it costs as much
as its work, and ten thousand kills take minutes.  Before a life nothing here starts a thread.
"""
