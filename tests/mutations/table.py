"""The mechanisms behind docs/guarantees.md: how each is taken away, and which test fails then."""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["CRASH", "MUTATIONS", "Mutation"]

CRASH: Final = "python -m tests.crash "
KILLS: Final = f"{CRASH}--first --kills 60 --cuts 0 --faults 0 --processes 0"
CUTS: Final = f"{CRASH}--first --kills 0 --cuts 60 --faults 0 --processes 0"


class Mutation(NamedTuple):
    """``old`` stands once in the file ``path``; with ``new`` in its place, what ``shown_by`` names fails.

    That is a test of pytest, or a command of ``tests.crash``.
    """

    name: str
    path: str
    old: str
    new: str
    shown_by: str


MUTATIONS: Final = (
    Mutation(
        "stored before it is acted upon",
        "asl_engine/engine/engine.py",
        """                if events:
                    try:
                        await self.store.append(run.arn, events)
                    except StoreUnavailable as error:
                        events = await self._keeping.keep(run, taken, answers, events, error)
                    if events:
                        self._act(run, events, driving=True)
""",
        """                if events:
                    self._act(run, events, driving=True)
                    await self.store.append(run.arn, events)
""",
        CUTS,
    ),
    Mutation(
        "stored before it is acknowledged",
        "asl_engine/engine/launching.py",
        """                await self._host.store.create(record, definition, events, child)
""",
        """                self._host.spawn(self._host.store.create(record, definition, events, child))
""",
        KILLS,
    ),
    Mutation(
        "synced before it is acknowledged",
        "asl_engine/store/sqlite/store.py",
        """        synchronous: Literal["FULL", "NORMAL", "OFF"] = "FULL",
""",
        """        synchronous: Literal["FULL", "NORMAL", "OFF"] = "NORMAL",
""",
        CUTS,
    ),
    Mutation(
        "one transaction a decision",
        "asl_engine/store/sqlite/appends.py",
        """        db.execute(_of_rows(insertion, width, count), values[at:end])
""",
        """        db.execute(_of_rows(insertion, width, count), values[at:end])
        db.commit()
""",
        CUTS,
    ),
    Mutation(
        "new folders are synced",
        "asl_engine/folders.py",
        """            os.fsync(handle)
""",
        """            pass
""",
        "tests/test_folders.py::test_the_folder_of_a_new_database_is_there_after_a_power_cut",
    ),
    Mutation(
        "results are synced before they are named",
        "asl_engine/datasets/local.py",
        """                    os.fsync(file.fileno())
""",
        "",
        "tests/test_folders.py::test_the_folders_of_a_new_object_are_there_after_a_power_cut",
    ),
    Mutation(
        "one that fails is written alone",
        "asl_engine/store/sqlite/writer.py",
        """        return [outcome for append in appends for outcome in write_together(db, [append])]
""",
        """        return [(append, error) for append in appends]
""",
        "tests/store/test_stores.py::test_a_conflict_does_not_hurt_its_neighbours",
    ),
    Mutation(
        "a key of the log's own",
        "asl_engine/engine/task_calls.py",
        """        f"{run.arn}:{task.key}",
""",
        """        f"{run.arn}:{task.key}:{host.clock.now()}",
""",
        "tests/engine/test_engine.py::test_leaving_the_engine_interrupts_and_a_new_one_goes_on",
    ),
    Mutation(
        "a task ends once",
        "asl_engine/core/interpreter.py",
        """    if task is None:
        return
    decision.frame = task.frame
    if timeout_of(task, decision.now) is not None:  # the answer comes too late, whichever was noticed first
""",
        """    decision.frame = task.frame
    if timeout_of(task, decision.now) is not None:
""",
        "tests/engine/test_prefixes.py::test_late_and_double_stimuli_change_nothing",
    ),
    Mutation(
        "what was submitted is not submitted again",
        "asl_engine/engine/task_calls.py",
        """        submitted=task.submitted,
""",
        """        submitted=None,
""",
        "tests/engine/test_outside.py::test_what_was_submitted_is_not_submitted_again_after_a_restart",
    ),
    Mutation(
        "a started execution knows who has started it",
        "asl_engine/project/executions.py",
        """        options = how._replace(started_by=call.key)
""",
        """        options = how
""",
        "tests/cli/test_nested.py::test_what_was_started_before_a_kill_is_not_started_again",
    ),
    Mutation(
        "a number is taken once",
        "asl_engine/store/sqlite/schema.py",
        "CREATE UNIQUE INDEX events_by_seq",
        "CREATE INDEX events_by_seq",
        "tests/store/test_stores.py::test_an_append_that_does_not_fit_is_a_conflict_and_leaves_nothing",
    ),
    Mutation(
        "events follow one another",
        "asl_engine/core/apply.py",
        """    if event.seq != execution.seq + 1:
""",
        """    if event.seq < 1:
""",
        "tests/engine/test_prefixes.py::test_events_are_applied_in_order_and_once",
    ),
    Mutation(
        "time does not run backwards in a log",
        "asl_engine/core/interpreter.py",
        """max(stimulus.at, execution.at - execution.ahead)""",
        """stimulus.at""",
        "tests/engine/test_hostile.py::test_events_do_not_grow_younger_when_the_clock_is_set_back",
    ),
    Mutation(
        "a restart is replayed as one",
        "asl_engine/core/replay.py",
        """_restarted_together(recorded, position) if event.died)""",
        """[recorded[position]] if event.died)""",
        "tests/core/test_outside.py::test_a_replay_tells_what_ran_in_the_process_from_what_goes_on_outside",
    ),
    Mutation(
        "a lease is held by who lives",
        "asl_engine/store/sqlite/lease.py",
        """        _try(file)
    except OSError:
        return True
""",
        """        _try(file)
    except OSError:
        return False
""",
        "tests/store/test_stores.py::test_two_processes_cannot_drive_one_execution",
    ),
    Mutation(
        "one engine drives an execution",
        "asl_engine/engine/effects.py",
        """    if arn in driven:
""",
        """    if arn in ():
""",
        "tests/engine/test_engine.py::test_two_engines_on_one_store_do_not_drive_one_execution",
    ),
    Mutation(
        "who ends in good order has not died",
        "asl_engine/engine/engine.py",
        """            await self.store.leave([*unfinished, *self.given_up.leaving])
""",
        """            await self.store.leave([])
""",
        "tests/cli/test_deaths.py::test_an_engine_that_is_interrupted_has_not_died",
    ),
    Mutation(
        "a suspect has a process of its own",
        "asl_engine/resources/python/isolation.py",
        """        return call.deaths + 1 >= most
""",
        """        return False
""",
        "tests/resources/test_isolation.py::test_who_has_a_process_of_its_own",
    ),
    Mutation(
        "a child is started once",
        "asl_engine/engine/map_runs/driver.py",
        """        return number < self._started_before or number in self._started_too
""",
        """        return False
""",
        "tests/engine/test_map_runs.py::test_cut_off_at_any_write_it_ends_as_it_would_have",
    ),
    Mutation(
        "a token is made of what is stored",
        "asl_engine/core/apply.py",
        """    x.salt = event.salt
""",
        """    x.salt = f"{event.salt}{id(event)}"
""",
        "tests/server/test_task_answers.py::test_a_token_is_good_for_the_next_server_too",
    ),
    Mutation(
        "a worker's task is stored as taken",
        "asl_engine/server/operations/activities.py",
        """    made = await engine.ask(run, WorkerReported(engine.clock.now(), key, worker))
    started = any(isinstance(event, TaskStarted) and event.task == key for event in made)
""",
        """    engine.deliver(run, WorkerReported(engine.clock.now(), key, worker))
    started = True
""",
        "tests/server/test_stuck.py::test_workers_are_refused_and_answered_later",
    ),
    Mutation(
        "a task that was not handed out stays in its queue",
        "asl_engine/server/operations/activities.py",
        """            activities.offer(arn, pending._replace(taken=True), first=True)
            raise
""",
        """            activities.offer(arn, pending, first=True)
            raise
""",
        "tests/server/test_stuck.py::test_a_task_that_was_refused_stays_in_its_queue",
    ),
    Mutation(
        "what could not be stored waits",
        "asl_engine/engine/engine.py",
        """                        events = await self._keeping.keep(run, taken, answers, events, error)
""",
        """                        raise error
""",
        "tests/engine/test_stuck.py::test_it_is_tried_again_with_growing_pauses_until_it_can_be_stored",
    ),
    Mutation(
        "a clock that is set is told of",
        "asl_engine/engine/clock_changes.py",
        """        for run in runs:
            self._tell(run, by)
""",
        "",
        "tests/engine/test_clock_set.py::test_a_wait_takes_its_seconds",
    ),
    Mutation(
        "a server looks after the dead",
        "asl_engine/server/takeover.py",
        """        found = await self._take([*wanted])
""",
        """        found = await self._take([])
""",
        "tests/server/test_takeover.py::test_a_server_goes_on_with_what_another_process_was_running",
    ),
    Mutation(
        "an event is stored before it is accepted",
        "asl_engine/events/bus.py",
        """        await self.buses.keep(events)
""",
        """        asyncio.ensure_future(self.buses.keep(events))
""",
        "tests/events/test_times.py::test_an_event_that_cannot_be_kept_is_not_accepted",
    ),
    Mutation(
        "a server delivers what is pending",
        "asl_engine/events/delivering.py",
        """            await self.look_at_all()
            while True:
""",
        """            while True:
""",
        "tests/cli/test_events.py::test_what_is_put_is_delivered_by_the_next_server",
    ),
    Mutation(
        "an execution is named after its delivery",
        "asl_engine/server/bus.py",
        "uuid_text(sha256(attempt.key.encode()).digest())",
        "service.engine.clock.now()",
        "tests/events/test_serving.py::test_an_execution_is_started_once_whatever_is_lost",
    ),
    Mutation(
        "an event that is passed on knows its delivery",
        "asl_engine/events/delivering.py",
        ", hops=hops, origin=origin)",
        ", hops=hops)",
        "tests/events/test_times.py::test_an_event_is_passed_on_once_however_often_that_is_tried",
    ),
    Mutation(
        "a task's events know the task",
        "asl_engine/events/bus.py",
        """            source = None if origin is None else f"{origin}/{number}"
""",
        """            source = None
""",
        "tests/events/test_times.py::test_what_a_task_puts_twice_is_kept_once",
    ),
    Mutation(
        "a status event is stored with the change of status",
        "asl_engine/store/sqlite/store.py",
        """        batch.statements = (*batch.statements, *self.bus.alongside(arn, events))
""",
        "",
        "tests/events/test_serving.py::test_a_status_event_is_stored_with_the_change_of_status",
    ),
    Mutation(
        "a position does not pass what is open",
        "asl_engine/mappings/shards.py",
        """            read = self.progress.read(one.sequence)
            if""",
        """            read = self.progress.read(one.sequence)
            self.progress.close(read)
            if""",
        "tests/mappings/test_streams.py::test_a_batch_is_the_same_one_after_a_crash",
    ),
    Mutation(
        "a batch is given up with its position",
        "asl_engine/mappings/shards.py",
        """                await self.polling.mappings.put_shards([record], discarded)
""",
        """                await self.polling.mappings.put_shards([record])
                await self.polling.mappings.put_shards([], discarded)
""",
        "tests/mappings/test_running.py::test_the_position_does_not_pass_what_is_given_up_before_that_is_kept",
    ),
    Mutation(
        "a batch is stored before it is called for",
        "asl_engine/mappings/lanes.py",
        """            ranges.append(Range(batch[-1].record.sequence))
            await self._shard.save()
""",
        """            ranges.append(Range(batch[-1].record.sequence))
""",
        "tests/mappings/test_streams.py::test_a_batch_is_the_same_one_after_a_crash",
    ),
    Mutation(
        "a shard comes after its parents",
        "asl_engine/mappings/streams.py",
        """ and not any(map(self._is_open, shard.parents))""",
        "",
        "tests/mappings/test_shards.py::test_a_failing_parent_keeps_its_child_waiting",
    ),
    Mutation(
        "a message that failed is not deleted",
        "asl_engine/mappings/queues.py",
        """        done = [one for one in batch if one.record["messageId"] not in outcome.failed]
""",
        """        done = list(batch)
""",
        "tests/mappings/test_queues.py::test_what_fails_stays_and_goes_to_the_dead_letter_queue",
    ),
    Mutation(
        "a part is played by who lives",
        "asl_engine/store/sqlite/parts.py",
        """        if self._is_held(owner):
            return False
""",
        "",
        "tests/mappings/test_running.py::test_another_process_polls_only_once_the_first_has_left",
    ),
    Mutation(
        "what cannot be delivered is kept",
        "asl_engine/events/delivering.py",
        """        await self._settle(delivery, FAILED, note)

""",
        """        await self._settle(delivery, DELIVERED, note)

""",
        "tests/events/test_times.py::test_a_delivery_is_given_up_and_kept",
    ),
    Mutation(
        "what an alert tells follows from the database",
        "asl_engine/practice/alerts.py",
        "self._looked.get(alert.name, 0) - LATE_MS",
        "self._looked.get(alert.name, now)",
        "tests/practice/test_alerts.py::test_what_was_not_told_before_a_kill_is_told_after_it",
    ),
    Mutation(
        "an alert knows what it is about",
        "asl_engine/practice/alerts.py",
        """, origin=f"{PUT}{alert.name}/{subject}@{at}")""",
        """)""",
        "tests/practice/test_alerts.py::test_the_window_survives_a_restart_and_nothing_is_told_twice",
    ),
    Mutation(
        "the ids of a trace follow from the log",
        "asl_engine/practice/spans.py",
        """        digest = self._hash.copy()
""",
        """        digest = blake2b(str(id(self)).encode(), digest_size=SPAN_BYTES)
""",
        "tests/practice/test_traces.py::test_a_restart_goes_on_with_the_same_trace",
    ),
)
