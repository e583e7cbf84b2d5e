"""The read model: what the stream tells, once, however often and in whatever pieces it is told."""

import json
import random

import pytest
from conftest import LAMP, POISON, SOFA
from handlers import failures, projection, read
from handlers.tables import db


def change(shop):
    """Two orders, each changed: three lamps (3 x 2 x 1250) and a sofa in the end."""
    shop.create("a", LAMP)
    shop.create("b", SOFA)
    shop.update("a", 1, LAMP, LAMP)
    shop.update("b", 1, SOFA, LAMP)
    return shop.records()


def check(shop, why=None):
    found = shop.search()
    assert {name: (row["version"], row["totalCents"]) for name, row in found.items()} == {
        "a": (2, 5000),
        "b": (2, 52500),
    }, why
    assert shop.stats == (2, 57500), why


def test_orders_are_found_and_counted(shop):
    assert (shop.search(), shop.stats) == ({}, None)
    change(shop)
    shop.catch_up()
    check(shop)
    assert [*shop.search(text="SOFA")] == ["b"]
    assert [*shop.search()] == ["b", "a"]  # the newest first
    _, stats = shop.asked(read.get_stats, {"pathParameters": {"userId": shop.user}})
    assert stats["lastOrderDate"] == shop.search()["b"]["createdAt"]
    assert shop.asked(read.search_orders, {})[0] == 400


def test_a_batch_that_comes_again_changes_nothing(shop):
    records = change(shop)
    for _ in range(3):
        shop.project(records)
        check(shop)


CHANGES = [("a", 1, [LAMP]), ("b", 1, [SOFA]), ("a", 2, [LAMP, LAMP]), ("b", 2, [SOFA, LAMP])]


def test_whatever_pieces_come_again_it_is_the_same(make_shop):
    """A batch is cut anywhere, and what came before comes again from anywhere, as after a failure."""
    for seed in range(6):
        chance, shop = random.Random(seed), make_shop()
        records, done = shop.made_up(*CHANGES), 0
        while done < len(records):
            first, last = chance.randint(0, done), chance.randint(done + 1, len(records))
            shop.project(records[first:last])
            done = last
        check(shop, seed)


def test_an_older_version_does_not_come_back(shop):
    shop.project(shop.made_up(*CHANGES))
    shop.project(shop.made_up(*CHANGES[:2]))
    check(shop)


def test_killed_before_and_after_any_call_it_ends_consistent(make_shop, killable):
    """Each call of DynamoDB is the last thing that a process does, once before and once after it is made."""
    kills = number = 0
    while kills == 2 * number:
        number += 1
        for is_done in (False, True):
            killable[0] = shop = make_shop()
            shop.dies_at = (number, is_done)
            kills += shop.project(shop.made_up(*CHANGES))
            shop.dies_at = None
            check(shop, (number, is_done))
    assert kills == 24  # of each record the date, a look at what is shown, the transaction


def test_an_order_that_cannot_be_shown_stops_the_batch_where_it_is(shop):
    shop.create("a", LAMP)
    shop.create("bad", POISON)
    shop.create("b", SOFA)
    with pytest.raises(projection.NotShowable, match="unitPriceCents is no number: 'on request'"):
        projection.update_read_model({"Records": shop.records()}, None)
    assert (shop.stats, [*shop.search()]) == ((1, 2500), ["a"])


def test_what_was_given_up_is_made_good_by_the_next_change(shop):
    shop.create("bad", POISON)
    shop.position = len(shop.stream())  # the record was given up
    shop.update("bad", 1, LAMP)
    shop.catch_up()
    assert shop.stats == (1, 2500)


def test_the_read_model_is_rebuilt_beside_the_stream(shop):
    records = change(shop)
    shop.project(records[:1])
    shop.create("bad", POISON)
    answer = projection.rebuild_read_model({}, None)
    assert (answer["applied"], [*answer["refused"]]) == (2, [shop.id("bad")])
    check(shop)
    shop.project(records)  # the stream is behind
    check(shop)


def test_of_others_that_write_at_the_same_time_one_is_counted(shop, monkeypatch):
    records = change(shop)

    def too_late(document, shown, write=projection.write):
        monkeypatch.setattr(projection, "write", write)
        shop.project(records[:1])
        return write(document, shown)

    monkeypatch.setattr(projection, "write", too_late)
    shop.project(records)
    check(shop)


def test_what_was_given_up_is_kept_with_its_image(shop):
    shop.create("a", LAMP)
    shop.create("bad", POISON)
    shop.create("b", SOFA)
    failed = shop.records()[1]["dynamodb"]["SequenceNumber"]
    arn = db.describe_table(TableName="ORDERS_TABLE")["Table"]["LatestStreamArn"]
    (shard,) = shop.streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    batch = {"streamArn": arn, "shardId": shard["ShardId"]}
    told = {
        "requestContext": {"condition": "RetryAttemptsExhausted"},
        "DDBStreamBatchInfo": batch | {"startSequenceNumber": failed, "endSequenceNumber": failed},
    }
    for _ in range(2):
        failures.keep_failed({"Records": [{"body": json.dumps(told)}]}, None)
    status, (row,) = shop.asked(read.list_failed, {})
    assert (status, row["sequenceNumber"], row["why"]) == (200, failed, "RetryAttemptsExhausted")
    assert "on request" in row["image"]
