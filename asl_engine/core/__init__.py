"""The theory of operation: what has happened to an execution, and what follows from it.  All of it is pure.

Events.  An execution is a list of events (``events``, ``map_events``): frozen, in the past tense, numbered by
``seq`` without a gap.  They are the only thing that is stored and the only thing that passes between this
package and the engine.  ``seq`` is ours; ``id`` and ``previous`` are the numbers of GetExecutionHistory, which
leaves some events out.  ``apply(execution, event)`` is the only code that changes an ``Execution``, and it takes
no decision, so ``fold(identity, events)`` is recovery, replay and time travel at once, after any prefix of a log.

Frames.  An execution runs in frames (``frames``): one for the machine itself, one for each branch of a Parallel
state and each iteration of an inline Map.  A frame stands in one state and in one phase:

    NEXT       enter the next state
    ENTERED    begin the state's work: ``State.enter``
    SCHEDULED  start the scheduled work: ``State.scheduled``
    FORKING    start branches or iterations, as many as there is room for: ``State.fork``
    SUCCEEDED  handle the result: ``State.succeeded``
    FAILED     retry, catch or fail: ``State.failed``
    ENDED      end the frame
    WORKING, WAITING, BACKOFF, JOINING    nothing: the world, or another frame, is to move

Decisions.  ``advance(machine, execution, stimulus, ...)`` (``interpreter``) takes a stimulus (``stimuli``), runs
every frame that can run until none can, and returns the events that it has emitted and applied on the way.  No
events means that the stimulus came late or twice.  It reads no clock, no file and no randomness: time comes with
the stimulus as ``.at`` (milliseconds since the epoch) and goes on as ``passing`` tells, and random numbers are
seeded with the execution's ARN and the event's number.  What a state may do while it is stepped is in
``decision``; what a state is, in ``state``.

Open work.  What the world owes an execution is ``Execution.open``: tasks, timers and Map Runs, each keyed by the
``seq`` of the event that opened it.  A late answer to the first attempt therefore cannot pass for the second, and
the same key is the idempotency key that a task sees.  Nothing that is to be done is stored: it is what is open.
"""
