"""The operations of EventBridge by name.  To add one, write its function and enter it here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asl_engine.server.events import archives, buses, rules

if TYPE_CHECKING:
    from asl_engine.server.service import Operations

__all__ = ["EVENT_OPERATIONS"]

EVENT_OPERATIONS: Final[Operations] = {
    "CancelReplay": archives.cancel_replay,
    "CreateArchive": archives.create_archive,
    "CreateEventBus": buses.create_event_bus,
    "DeleteArchive": archives.delete_archive,
    "DeleteEventBus": buses.delete_event_bus,
    "DeleteRule": rules.delete_rule,
    "DescribeArchive": archives.describe_archive,
    "DescribeEventBus": buses.describe_event_bus,
    "DescribeReplay": archives.describe_replay,
    "DescribeRule": rules.describe_rule,
    "DisableRule": rules.disable_rule,
    "EnableRule": rules.enable_rule,
    "ListArchives": archives.list_archives,
    "ListEventBuses": buses.list_event_buses,
    "ListReplays": archives.list_replays,
    "ListRuleNamesByTarget": rules.list_rule_names_by_target,
    "ListRules": rules.list_rules,
    "ListTagsForResource": buses.list_tags_for_resource,
    "ListTargetsByRule": rules.list_targets_by_rule,
    "PutEvents": buses.put_events,
    "PutRule": rules.put_rule,
    "PutTargets": rules.put_targets,
    "RemoveTargets": rules.remove_targets,
    "StartReplay": archives.start_replay,
    "TagResource": buses.tag_resource,
    "TestEventPattern": buses.test_event_pattern,
    "UntagResource": buses.untag_resource,
    "UpdateArchive": archives.update_archive,
    "UpdateEventBus": buses.update_event_bus,
}
