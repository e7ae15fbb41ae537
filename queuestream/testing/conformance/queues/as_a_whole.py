"""Queues as a whole: their names, attributes, lists, tags and permissions; purging and deleting them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from queuestream.core.clock import SECOND
from queuestream.core.errors import (
    InvalidAttributeName,
    InvalidAttributeValue,
    InvalidParameterValue,
    OverLimit,
    PurgeQueueInProgress,
    QueueDeletedRecently,
    QueueDoesNotExist,
    QueueNameExists,
)
from queuestream.testing.conformance.capabilities import needs
from queuestream.testing.conformance.queues.fixtures import QueueSuite, bodies
from queuestream.testing.conformance.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from queuestream.core.broker import Broker
    from queuestream.core.queues.queue import Queue
    from queuestream.testing.conformance.queues.fixtures import NewQueue

ACCOUNT = "123456789012"
KEY = "alias/aws/sqs"


def statements(queue: Queue) -> list[dict[str, Any]]:
    """The statements of a queue's policy."""
    policy = queue.attributes.policy
    return json.loads(policy)["Statement"] if policy else []


class QueuesAsAWhole(QueueSuite):
    """Queues as a whole."""

    # --- names ---

    def test_a_queue_has_a_name_an_arn_and_a_url(self, queue: Queue) -> None:
        assert queue.arn.startswith("arn:aws")
        assert queue.arn.endswith(f":{queue.name}")
        assert queue.url.endswith(f"/{queue.name}")

    def test_a_queue_is_found_by_its_name_its_url_and_its_arn(self, broker: Broker, queue: Queue) -> None:
        queue.send("hello")
        for found in (
            broker.queue(queue.name),
            broker.queue_by_url(queue.url),
            broker.queue_by_arn(queue.arn),
        ):
            assert (found.name, found.arn, found.url) == (queue.name, queue.arn, queue.url)
            assert bodies(self.take(found, visibility_timeout=0)) == ["hello"]

    def test_a_queue_that_does_not_exist_is_not_found(
        self, broker: Broker, unique: Callable[[str], str]
    ) -> None:
        with refused(QueueDoesNotExist):
            broker.queue(unique("nothing"))

    @pytest.mark.parametrize(
        "name",
        ["x" * 81, "a b", "a.b", "ü", "a.fifo", ""],
        ids=["long", "space", "dot", "umlaut", "fifo", "empty"],
    )
    def test_a_name_of_another_form_is_refused(self, broker: Broker, name: str) -> None:
        with refused(InvalidParameterValue):
            broker.create_queue(name)

    def test_the_name_of_a_fifo_queue_ends_in_fifo(
        self, broker: Broker, fifo_queue: Queue, queue: Queue, unique: Callable[[str], str]
    ) -> None:
        assert fifo_queue.is_fifo
        assert not queue.is_fifo
        with refused(InvalidParameterValue):
            broker.create_queue(unique("orders"), fifo_queue=True)

    # --- creating and listing ---

    def test_creating_a_queue_again_gives_the_same_queue(self, broker: Broker, new_queue: NewQueue) -> None:
        queue = new_queue(visibility_timeout=60, receive_message_wait_time_seconds=1)
        queue.send("hello")
        again = broker.create_queue(queue.name, visibility_timeout=60)
        assert again.url == queue.url
        assert bodies(self.take(again)) == ["hello"]

    def test_creating_a_queue_again_with_another_attribute_is_refused(
        self, broker: Broker, new_queue: NewQueue
    ) -> None:
        queue = new_queue(visibility_timeout=60)
        with refused(QueueNameExists):
            broker.create_queue(queue.name, visibility_timeout=61)
        assert queue.attributes.visibility_timeout == 60

    def test_queues_are_listed_by_the_beginning_of_their_names(
        self, broker: Broker, new_queue: NewQueue
    ) -> None:
        blue, red = new_queue("blue").name, new_queue("red").name
        common = blue.partition("blue")[0]
        self.becomes(
            lambda: {blue, red} <= {queue.name for queue in broker.list_queues(queue_name_prefix=common)},
            expected=True,
        )
        assert [queue.name for queue in broker.list_queues(queue_name_prefix=blue)] == [blue]
        assert list(broker.list_queues(queue_name_prefix=blue.upper())) == []

    def test_queues_are_listed_in_pages(self, broker: Broker, unique: Callable[[str], str]) -> None:
        stem = unique("page")
        made = [broker.create_queue(f"{stem}-{number}") for number in range(3)]
        names = {queue.name for queue in made}
        try:
            self.becomes(lambda: {queue.name for queue in broker.list_queues(queue_name_prefix=stem)}, names)
            first = broker.list_queues(queue_name_prefix=stem, max_results=2)
            assert len(first) == 2
            rest = broker.list_queues(queue_name_prefix=stem, max_results=2, next_token=first.next_token)
            assert {queue.name for queue in [*first, *rest]} == names
            assert (len(rest), rest.next_token) == (1, None)
        finally:
            for queue in made:
                queue.delete_queue()

    def test_a_list_without_a_page_size_has_no_token(self, broker: Broker, queue: Queue) -> None:
        assert broker.list_queues(queue_name_prefix=queue.name).next_token is None

    @pytest.mark.parametrize("size", [0, 1_001])
    def test_a_page_size_out_of_range_is_refused(self, broker: Broker, size: int) -> None:
        with refused(InvalidParameterValue):
            broker.list_queues(max_results=size)

    # --- attributes ---

    @pytest.mark.parametrize(
        ("attribute", "value"),
        [
            ("visibility_timeout", 30),
            ("delay_seconds", 0),
            ("message_retention_period", 345_600),
            ("maximum_message_size", 1_048_576),
            ("receive_message_wait_time_seconds", 0),
            ("redrive_policy", None),
            ("policy", None),
            ("fifo_queue", False),
        ],
    )
    def test_a_queue_has_defaults(self, queue: Queue, attribute: str, value: object) -> None:
        assert getattr(queue.attributes, attribute) == value

    @pytest.mark.parametrize(
        ("attribute", "value"),
        [
            ("fifo_queue", True),
            ("content_based_deduplication", False),
            ("deduplication_scope", "queue"),
            ("fifo_throughput_limit", "perQueue"),
        ],
    )
    def test_a_fifo_queue_has_defaults(self, fifo_queue: Queue, attribute: str, value: object) -> None:
        assert getattr(fifo_queue.attributes, attribute) == value

    def test_a_queue_has_the_attributes_that_it_is_made_with(self, new_queue: NewQueue) -> None:
        given = {
            "visibility_timeout": 1,
            "delay_seconds": 2,
            "message_retention_period": 60,
            "maximum_message_size": 1_024,
            "receive_message_wait_time_seconds": 3,
        }
        attributes = new_queue(**given).attributes
        assert {name: getattr(attributes, name) for name in given} == given

    def test_attributes_that_are_not_named_stay_as_they_are(self, new_queue: NewQueue) -> None:
        queue = new_queue(visibility_timeout=1, delay_seconds=2)
        queue.set_attributes(delay_seconds=3)
        self.becomes(lambda: queue.attributes.delay_seconds, 3)
        assert queue.attributes.visibility_timeout == 1

    @pytest.mark.parametrize(
        ("attribute", "low", "high"),
        [
            ("visibility_timeout", 0, 43_200),
            ("delay_seconds", 0, 900),
            ("message_retention_period", 60, 1_209_600),
            ("maximum_message_size", 1_024, 1_048_576),
            ("receive_message_wait_time_seconds", 0, 20),
        ],
    )
    def test_an_attribute_has_a_range(self, queue: Queue, attribute: str, low: int, high: int) -> None:
        allowed: list[dict[str, Any]] = [{attribute: value} for value in (low, high)]
        for given in allowed:
            queue.set_attributes(**given)
            self.becomes(lambda: getattr(queue.attributes, attribute), given[attribute])
        beyond: list[dict[str, Any]] = [{attribute: value} for value in (low - 1, high + 1)]
        for given in beyond:
            with refused(InvalidAttributeValue):
                queue.set_attributes(**given)
        assert getattr(queue.attributes, attribute) == high

    def test_an_attribute_that_does_not_exist_is_refused(self, queue: Queue) -> None:
        colour: Any = {"Colour": "blue"}
        with refused(InvalidAttributeName):
            queue.set_attributes(**colour)

    def test_a_standard_queue_has_no_attributes_of_fifo_queues(self, queue: Queue) -> None:
        with refused(InvalidAttributeName):
            queue.set_attributes(content_based_deduplication=True)

    def test_a_queues_kind_is_for_life(self, fifo_queue: Queue) -> None:
        with refused(InvalidAttributeValue):
            fifo_queue.set_attributes(fifo_queue=False)
        assert fifo_queue.is_fifo

    def test_throughput_by_group_needs_deduplication_by_group(self, fifo_queue: Queue) -> None:
        with refused(InvalidAttributeValue):
            fifo_queue.set_attributes(fifo_throughput_limit="perMessageGroupId")
        fifo_queue.set_attributes(
            fifo_throughput_limit="perMessageGroupId", deduplication_scope="messageGroup"
        )
        self.becomes(lambda: fifo_queue.attributes.fifo_throughput_limit, "perMessageGroupId")

    def test_a_queue_knows_when_it_was_made_and_changed(self, queue: Queue) -> None:
        made_ns = queue.created_ns
        queue.set_attributes(visibility_timeout=1)
        assert queue.created_ns == made_ns
        assert queue.last_modified_ns >= made_ns > 0

    def test_a_queue_that_is_changed_later_says_so(
        self, queue: Queue, pass_time: Callable[[float], None]
    ) -> None:
        made_ns = queue.created_ns
        pass_time(10)
        queue.set_attributes(visibility_timeout=1)
        changed_ns = queue.last_modified_ns
        assert changed_ns // SECOND - made_ns // SECOND in {10, 11}

    @needs("encryption_settings")
    def test_a_key_ends_the_encryption_of_sqs_own(self, new_queue: NewQueue) -> None:
        queue = new_queue(kms_master_key_id=KEY, kms_data_key_reuse_period_seconds=60)
        assert queue.attributes.kms_master_key_id == KEY
        assert queue.attributes.kms_data_key_reuse_period_seconds == 60
        assert not queue.attributes.sqs_managed_sse_enabled

    @needs("encryption_settings")
    def test_a_queue_is_encrypted_where_nothing_is_said(self, queue: Queue) -> None:
        assert queue.attributes.sqs_managed_sse_enabled

    @needs("encryption_settings")
    def test_two_kinds_of_encryption_are_refused(self, broker: Broker, unique: Callable[[str], str]) -> None:
        with refused(InvalidAttributeName):
            broker.create_queue(unique("emails"), kms_master_key_id=KEY, sqs_managed_sse_enabled=True)

    # --- policies and permissions ---

    def test_a_policy_is_kept_and_taken_away(self, queue: Queue) -> None:
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "all",
                    "Effect": "Allow",
                    "Principal": {"AWS": "*"},
                    "Action": "SQS:SendMessage",
                    "Resource": queue.arn,
                }
            ],
        }
        queue.set_attributes(policy=policy)
        self.becomes(lambda: [statement["Sid"] for statement in statements(queue)], ["all"])
        queue.set_attributes(policy=None)
        self.becomes(lambda: statements(queue), [])

    @needs("permissions")
    def test_a_permission_is_a_statement_of_the_policy(self, queue: Queue) -> None:
        queue.add_permission("send", [ACCOUNT], ["SendMessage"])
        self.becomes(lambda: [statement["Sid"] for statement in statements(queue)], ["send"])
        [statement] = statements(queue)
        assert (statement["Effect"], statement["Action"]) == ("Allow", "SQS:SendMessage")
        assert ACCOUNT in json.dumps(statement["Principal"])
        assert statement["Resource"] == queue.arn

    @needs("permissions")
    def test_a_label_is_used_once(self, queue: Queue) -> None:
        queue.add_permission("send", [ACCOUNT], ["SendMessage"])
        self.becomes(lambda: len(statements(queue)), 1)
        with refused(InvalidParameterValue):
            queue.add_permission("send", [ACCOUNT], ["ReceiveMessage"])

    @needs("permissions")
    def test_a_permission_is_taken_away_by_its_label(self, queue: Queue) -> None:
        queue.add_permission("send", [ACCOUNT], ["SendMessage"])
        self.becomes(lambda: len(statements(queue)), 1)
        queue.remove_permission("send")
        self.becomes(lambda: statements(queue), [])
        with refused(InvalidParameterValue):
            queue.remove_permission("send")

    @needs("permissions")
    def test_a_permission_has_seven_actions_at_most(self, queue: Queue) -> None:
        actions = ["SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueUrl"]
        actions += ["GetQueueAttributes", "ListDeadLetterSourceQueues", "PurgeQueue"]
        queue.add_permission("seven", [ACCOUNT], actions[:7])
        with refused(OverLimit):
            queue.add_permission("eight", [ACCOUNT], actions)

    # --- tags ---

    @needs("tags")
    def test_a_queue_is_made_with_tags(self, new_queue: NewQueue) -> None:
        assert new_queue(tags={"team": "mail"}).tags == {"team": "mail"}

    @needs("tags")
    def test_a_queue_without_tags_has_none(self, queue: Queue) -> None:
        assert queue.tags == {}

    @needs("tags")
    def test_tags_are_added_replaced_and_taken_away(self, queue: Queue) -> None:
        queue.tag({"team": "mail", "stage": "test", "empty": ""})
        queue.tag({"stage": "live"})
        self.becomes(lambda: queue.tags, {"team": "mail", "stage": "live", "empty": ""})
        queue.untag(["team", "unknown"])
        self.becomes(lambda: queue.tags, {"stage": "live", "empty": ""})

    @needs("tags")
    def test_a_queue_has_fifty_tags_at_most(self, queue: Queue) -> None:
        queue.tag({str(number): "x" for number in range(50)})
        with refused(InvalidParameterValue):
            queue.tag({"one more": "x"})

    # --- purging and deleting ---

    def test_a_purged_queue_is_empty(self, queue: Queue) -> None:
        queue.send_batch(["one", "two"])
        queue.purge()
        assert self.take(queue) == []
        queue.send("after")
        assert bodies(self.take(queue)) == ["after"]

    @needs("purge_interval")
    def test_a_queue_cannot_be_purged_twice_in_a_minute(self, queue: Queue) -> None:
        queue.purge()
        with refused(PurgeQueueInProgress):
            queue.purge()

    @needs("purge_interval")
    def test_a_queue_can_be_purged_again_after_a_minute(
        self, queue: Queue, pass_time: Callable[[float], None]
    ) -> None:
        queue.purge()
        pass_time(60)
        queue.send("hello")
        queue.purge()
        assert self.take(queue) == []

    def test_a_deleted_queue_does_not_exist(self, broker: Broker, queue: Queue) -> None:
        queue.send("hello")
        queue.delete_queue()
        for use in (lambda: queue.send("hello"), queue.receive, queue.purge, queue.delete_queue):
            with refused(QueueDoesNotExist):
                use()
        with refused(QueueDoesNotExist):
            broker.queue(queue.name)

    @needs("deletion_interval")
    def test_the_name_of_a_deleted_queue_is_not_free_at_once(self, broker: Broker, queue: Queue) -> None:
        queue.delete_queue()
        with refused(QueueDeletedRecently):
            broker.create_queue(queue.name)

    @needs("deletion_interval")
    def test_the_name_of_a_deleted_queue_is_free_after_a_minute(
        self, broker: Broker, queue: Queue, pass_time: Callable[[float], None]
    ) -> None:
        queue.send("hello")
        queue.delete_queue()
        pass_time(60)
        again = broker.create_queue(queue.name)
        assert self.take(again) == []
        again.delete_queue()
