"""The theory of operation: the only place where the core meets the world.

The loop.  Each execution that this process drives is a ``Run`` with an inbox.  A stimulus goes into the inbox;
if nobody drives the run, a task of the event loop begins to.  It takes all stimuli that wait, lets the core
decide on each, appends all their events to the store in one batch, and waits until they are on disk.  Only then
it acts: tasks start, timers are set, callers are answered.  Then it looks into the inbox again.  Where it is empty
and one task has started, whoever drives performs that task itself (``working``), and drives on with its answer.

    inbox -> advance -> append (on disk) -> act -> inbox

Who may touch what.  ``Engine`` owns the runs; only the loop of a run advances its execution, so there is no
lock.  Everything happens on the event loop's thread; tasks of user code run in threads or processes, and reach
the engine by ``call_soon_threadsafe``.  What is driven (``working``, ``task_calls``, ``map_runs``) sees the engine
as a ``Host`` and nothing else.  A store is written by one process per execution, which holds its lease; another
process that has ended an execution is noticed by ``Engine.check``.

Recovery.  Nothing that is to be done is stored.  To resume is to read the log, fold it, and see to what is open:
tasks that were running are run again with the key they had, timers are set again, Map Runs count their children.
Whoever has many to resume (a server, a Map Run) claims and reads them two hundred at a time (``resuming``).

Time.  The clock that counts seconds is not the one that people set (``clock``); where that is set, every run is
told (``clock_changes``).  A wait, a backoff, a timeout and a heartbeat are timers (``timers``): an event says when
they are due, in milliseconds since the epoch, and one handle of the event loop waits for the earliest.  Where the
clock skips, time jumps to the earliest timer as soon as nothing is under way.  A task that runs, a run that is
being driven, a poll that waits are all under way, so work is always given its own time.  Whoever moves time by
hand (``asl_engine.testing``) sets a horizon that it does not jump past, and lets it jump past tasks that wait for
somebody outside.

When things break.  A resource that raises ``StatesError`` fails its task, which the machine may catch.  A store
that cannot be used for now is tried again (``retrying``), and events that could not be stored wait (``keeping``).
Anything else is a defect of the resource or of the store: the run is given up, whoever waits for it is told, and
its log is whole, so it can be resumed, by another process too.
"""
