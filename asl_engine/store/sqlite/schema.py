"""The layout of the database and the migrations from older ones.

``PRAGMA user_version`` counts the migrations that a file has seen; ``application_id`` says that the file
is ours.  The log is append-only: rows are added in chronological order and found by (execution, seq).
"""

from __future__ import annotations

from typing import Final

__all__ = ["APPLICATION_ID", "MIGRATIONS"]

APPLICATION_ID: Final = 0x41534C31  # "ASL1"

# One entry per version; never changed once released, only added to.
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        """
        CREATE TABLE definitions (
            digest TEXT PRIMARY KEY,  -- SHA-256 of the text
            text TEXT NOT NULL
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE executions (
            execution INTEGER PRIMARY KEY,
            arn TEXT NOT NULL UNIQUE,
            name TEXT NOT NULL,
            machine_arn TEXT NOT NULL,
            machine_name TEXT NOT NULL,
            role_arn TEXT NOT NULL,
            definition TEXT NOT NULL REFERENCES definitions (digest),
            status TEXT NOT NULL,
            started_at INTEGER NOT NULL,  -- milliseconds since the epoch, here and below
            stopped_at INTEGER,
            options TEXT NOT NULL,  -- how it was asked to run: a JSON object
            owner TEXT NOT NULL  -- the lease of the process that drives it
        )
        """,
        "CREATE INDEX executions_by_name ON executions (name)",
        """
        CREATE TABLE events (
            execution INTEGER NOT NULL,
            seq INTEGER NOT NULL,
            id INTEGER NOT NULL,  -- as in GetExecutionHistory; 0 where history does not show it
            previous INTEGER NOT NULL,
            at INTEGER NOT NULL,
            frame INTEGER NOT NULL,
            kind TEXT NOT NULL,
            data TEXT,  -- the event's small fields: a JSON object
            payload  -- its input or output as JSON text, or the seq of the event that holds the text
        )
        """,
        "CREATE UNIQUE INDEX events_by_seq ON events (execution, seq)",
    ),
    (
        """
        CREATE TABLE state_machines (
            arn TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            type TEXT NOT NULL,  -- STANDARD or EXPRESS
            role_arn TEXT NOT NULL,
            definition TEXT NOT NULL REFERENCES definitions (digest),
            created_at INTEGER NOT NULL,
            configuration TEXT NOT NULL,  -- logging, tracing, encryption, tags: a JSON object
            status TEXT NOT NULL  -- ACTIVE or DELETING
        ) WITHOUT ROWID
        """,
        "CREATE INDEX executions_by_machine ON executions (machine_arn, execution)",
    ),
    (
        # The current state of a machine is a revision; the first revision has no identifier.
        "ALTER TABLE state_machines ADD COLUMN revision_id TEXT",
        "ALTER TABLE state_machines ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE state_machines ADD COLUMN last_version INTEGER NOT NULL DEFAULT 0",
        "UPDATE state_machines SET updated_at = created_at",
        """
        CREATE TABLE state_machine_versions (
            machine_arn TEXT NOT NULL,
            number INTEGER NOT NULL,  -- never used again, not even when the version is deleted
            revision_id TEXT,
            role_arn TEXT NOT NULL,
            definition TEXT NOT NULL REFERENCES definitions (digest),
            created_at INTEGER NOT NULL,
            description TEXT,
            configuration TEXT NOT NULL,  -- as in state_machines
            PRIMARY KEY (machine_arn, number)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE state_machine_aliases (
            machine_arn TEXT NOT NULL,
            name TEXT NOT NULL,
            description TEXT,
            routing TEXT NOT NULL,  -- as in CreateStateMachineAlias: a JSON array
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            PRIMARY KEY (machine_arn, name)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE tags (
            arn TEXT NOT NULL,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (arn, key)
        ) WITHOUT ROWID
        """,
        """
        INSERT OR IGNORE INTO tags (arn, key, value)
        SELECT arn, json_extract(tag.value, '$.key'), coalesce(json_extract(tag.value, '$.value'), '')
        FROM state_machines, json_each(configuration, '$.tags') AS tag
        WHERE json_extract(tag.value, '$.key') IS NOT NULL
        """,
        "UPDATE state_machines SET configuration = json_remove(configuration, '$.tags')",
        # The version or alias through which an execution was started; NULL for the machine itself.
        "ALTER TABLE executions ADD COLUMN version_arn TEXT",
        "ALTER TABLE executions ADD COLUMN alias_arn TEXT",
        "ALTER TABLE executions ADD COLUMN redrive_count INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE executions ADD COLUMN redriven_at INTEGER",
        """
        CREATE TABLE activities (
            arn TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            configuration TEXT NOT NULL  -- encryption: a JSON object
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE map_runs (
            map_run INTEGER PRIMARY KEY,
            arn TEXT NOT NULL UNIQUE,
            execution INTEGER NOT NULL,  -- the one that has started it
            seq INTEGER NOT NULL,  -- of the event that has started it
            status TEXT NOT NULL,
            started_at INTEGER NOT NULL,
            stopped_at INTEGER,
            configuration TEXT NOT NULL,  -- its state's fields, evaluated: a JSON object
            counts TEXT,  -- what came of its children, when none of them runs any more: a JSON object
            redrive_count INTEGER NOT NULL DEFAULT 0,
            redriven_at INTEGER
        )
        """,
        "CREATE INDEX map_runs_by_execution ON map_runs (execution, map_run)",
        """
        CREATE TABLE children (
            map_run INTEGER NOT NULL,
            number INTEGER NOT NULL,
            execution INTEGER NOT NULL,
            items INTEGER NOT NULL,
            round INTEGER NOT NULL,  -- the redrive_count of the Map Run when it last began
            redrives INTEGER NOT NULL,  -- how often it was begun anew, as an execution of its own
            PRIMARY KEY (map_run, number)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX children_by_execution ON children (execution)",
        # A child's machine is called "machine/label".
        "CREATE INDEX executions_by_themselves ON executions (execution) WHERE instr(machine_name, '/') = 0",
    ),
    (
        # ListExecutions: each status in its order.
        "DROP INDEX executions_by_machine",
        """
        CREATE INDEX executions_by_place
        ON executions (machine_arn, status, coalesce(stopped_at, redriven_at, started_at))
        """,
    ),
    # Which definitions nothing uses any more.
    ("CREATE INDEX executions_by_definition ON executions (definition)",),
    (
        # The same for a version and an alias.
        """
        CREATE INDEX executions_of_version
        ON executions (version_arn, status, coalesce(stopped_at, redriven_at, started_at))
        WHERE version_arn IS NOT NULL
        """,
        """
        CREATE INDEX executions_of_alias
        ON executions (alias_arn, status, coalesce(stopped_at, redriven_at, started_at))
        WHERE alias_arn IS NOT NULL
        """,
        # Of all machines, the newest first: the few that run, or have failed, among many.
        """
        CREATE INDEX executions_by_status ON executions (status, execution)
        WHERE instr(machine_name, '/') = 0
        """,
    ),
    # The payload of an event may be a blob: a list of pieces of the texts of other events (codec).
    (),
    # The event bus.  What an execution does are events too, but of another kind: those are in ``events``.
    (
        """
        CREATE TABLE event_buses (
            arn TEXT PRIMARY KEY,  -- but for the default buses, which are always there
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            configuration TEXT NOT NULL  -- as in CreateEventBus: a JSON object
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE event_rules (
            arn TEXT PRIMARY KEY,
            bus_arn TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            configuration TEXT NOT NULL,  -- as in PutRule: a JSON object
            declared INTEGER NOT NULL,  -- whether the project's configuration has it
            next_at INTEGER  -- when its schedule is due; NULL without one
        ) WITHOUT ROWID
        """,
        "CREATE INDEX event_rules_by_time ON event_rules (next_at) WHERE next_at IS NOT NULL",
        """
        CREATE TABLE event_targets (
            rule_arn TEXT NOT NULL,
            id TEXT NOT NULL,
            arn TEXT NOT NULL,
            configuration TEXT NOT NULL,  -- as in PutTargets: a JSON object
            PRIMARY KEY (rule_arn, id)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX event_targets_by_arn ON event_targets (arn)",
        """
        CREATE TABLE bus_events (
            event INTEGER PRIMARY KEY,
            id TEXT NOT NULL,
            bus_arn TEXT NOT NULL,
            at INTEGER NOT NULL,  -- when it was accepted
            time INTEGER NOT NULL,  -- what the event says
            text TEXT NOT NULL,  -- the event as targets get it
            hops INTEGER NOT NULL,  -- how many buses it came through
            origin TEXT UNIQUE  -- what has put it, where that must not do so twice
        )
        """,
        """
        CREATE TABLE deliveries (
            delivery INTEGER PRIMARY KEY,
            event INTEGER NOT NULL,
            rule_arn TEXT NOT NULL,
            target TEXT NOT NULL,  -- its id
            status TEXT NOT NULL,  -- PENDING, DELIVERED, FAILED
            attempts INTEGER NOT NULL,
            since INTEGER NOT NULL,  -- from when its age counts
            due INTEGER NOT NULL,  -- of the next attempt, or when the last one ended
            note TEXT  -- what the last attempt has come to: a JSON object
        )
        """,
        "CREATE INDEX deliveries_due ON deliveries (rule_arn, target, due) WHERE status = 'PENDING'",
        "CREATE INDEX deliveries_failed ON deliveries (delivery) WHERE status = 'FAILED'",
        "CREATE INDEX deliveries_by_event ON deliveries (event)",
        """
        CREATE TABLE event_archives (
            arn TEXT PRIMARY KEY,
            bus_arn TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            configuration TEXT NOT NULL  -- as in CreateArchive: a JSON object
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE archived_events (
            archive_arn TEXT NOT NULL,
            time INTEGER NOT NULL,  -- of the event
            event INTEGER NOT NULL,
            PRIMARY KEY (archive_arn, time, event)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX archived_events_by_event ON archived_events (event)",
        """
        CREATE TABLE event_replays (
            arn TEXT PRIMARY KEY,
            archive_arn TEXT NOT NULL,
            started_at INTEGER NOT NULL,
            ended_at INTEGER,
            status TEXT NOT NULL,
            configuration TEXT NOT NULL,  -- as in StartReplay: a JSON object
            last_time INTEGER,  -- of the last event replayed, and its number
            last_event INTEGER
        ) WITHOUT ROWID
        """,
        # The lease of the process that delivers.
        "CREATE TABLE event_deliverer (one INTEGER PRIMARY KEY CHECK (one = 1), owner TEXT NOT NULL)",
        "INSERT INTO event_deliverer (one, owner) VALUES (1, '')",
    ),
    # Event source mappings.
    (
        """
        CREATE TABLE event_source_mappings (
            arn TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            function_arn TEXT NOT NULL,
            source_arn TEXT NOT NULL,
            tally TEXT NOT NULL,  -- its state, what it has counted, its last outcome: a JSON object
            updated_at INTEGER NOT NULL
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE mapping_shards (
            mapping_arn TEXT NOT NULL,
            shard TEXT NOT NULL,
            stream TEXT NOT NULL,  -- its ARN and when it was made: another stream may have the same names
            since INTEGER NOT NULL,  -- when it was begun
            finished INTEGER NOT NULL,  -- whether it is closed, and read to its end
            progress TEXT NOT NULL,  -- how far each lane has come, and the batches it has under way: a JSON object
            PRIMARY KEY (mapping_arn, shard)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE discarded_batches (
            batch INTEGER PRIMARY KEY,
            mapping_arn TEXT NOT NULL,
            key TEXT NOT NULL UNIQUE,  -- the one that the function was called with
            at INTEGER NOT NULL,
            status TEXT NOT NULL,  -- UNSENT, KEPT, REDRIVEN, DONE
            invocation TEXT NOT NULL,  -- the record that a destination gets: a JSON object
            event TEXT NOT NULL,  -- what the function was called with: a JSON object
            note TEXT NOT NULL  -- what has become of it since: a JSON object
        )
        """,
        "CREATE INDEX discarded_to_do ON discarded_batches (mapping_arn) WHERE status IN ('UNSENT', 'REDRIVEN')",
        # The lease of the process that polls.
        "CREATE TABLE mapping_poller (one INTEGER PRIMARY KEY CHECK (one = 1), owner TEXT NOT NULL)",
        "INSERT INTO mapping_poller (one, owner) VALUES (1, '')",
    ),
)
