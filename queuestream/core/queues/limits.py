"""SQS's quotas: how many, how large and how long.

Each field is one quota with AWS's value as its default.  A broker that wants other
ones is given `QueueLimits(in_flight_max=10)`; everything that checks a quota is handed
this object, so no number of AWS's stands anywhere else.

A named tuple, because these numbers are on the way of every first queue: it costs a
third of what an attrs class of this size costs to import.
"""

# No `from __future__ import annotations`: NamedTuple would compile each text back into a type.
from typing import NamedTuple


class QueueLimits(NamedTuple):
    """The quotas of a broker's queues, AWS's where none are given.

    Durations are in seconds, sizes in bytes, lengths in characters.
    """

    # Developer guide, "Amazon SQS message quotas".
    message_size_max: int = 1_048_576
    delay_seconds_max: int = 900
    visibility_timeout_max: int = 43_200
    message_retention_period_min: int = 60
    message_retention_period_max: int = 1_209_600
    message_attributes_max: int = 10
    batch_entries_max: int = 10
    batch_entry_id_length_max: int = 80
    message_group_id_length_max: int = 128  # API reference, SendMessage
    message_deduplication_id_length_max: int = 128  # API reference, SendMessage

    # Developer guide, "Amazon SQS message metadata": a message attribute's components.
    message_attribute_name_length_max: int = 256
    message_attribute_data_type_length_max: int = 256

    # API reference, ReceiveMessage.
    messages_per_receive_max: int = 10
    wait_time_seconds_max: int = 20
    receive_request_attempt_id_length_max: int = 128

    # Developer guide, "Amazon SQS standard queue quotas" and "Amazon SQS FIFO queue quotas".
    in_flight_max: int = 120_000
    fifo_in_flight_max: int = 120_000

    # Developer guide, "FIFO queue delivery logic": how far a receive looks for another group's message.
    fifo_look_ahead_max: int = 120_000

    # Developer guide, "Exactly-once processing"; API reference, ReceiveMessage.
    deduplication_interval_seconds: int = 300
    receive_attempt_interval_seconds: int = 300

    # API reference, CreateQueue and SetQueueAttributes.
    maximum_message_size_min: int = 1_024
    kms_data_key_reuse_period_min: int = 60
    kms_data_key_reuse_period_max: int = 86_400
    max_receive_count_max: int = 1_000
    source_queue_arns_max: int = 10

    # Developer guide, "Amazon SQS standard queue quotas": names and tags.
    queue_name_length_max: int = 80
    tags_max: int = 50
    tag_key_length_max: int = 128
    tag_value_length_max: int = 256

    # Developer guide, "Amazon SQS message quotas": message throughput, in high throughput mode us-east-1's.
    enforce_throughput: bool = False
    fifo_calls_per_second: int = 300
    fifo_high_throughput_calls_per_second: int = 70_000

    # API reference, DeleteQueue and PurgeQueue.
    delete_interval_seconds: int = 60
    purge_interval_seconds: int = 60

    # API reference, ListQueues and ListDeadLetterSourceQueues.
    queues_per_page_max: int = 1_000

    # API reference, AddPermission; developer guide, "Amazon SQS policy quotas".
    policy_actions_max: int = 7
    policy_principals_max: int = 50
    policy_statements_max: int = 20
    policy_size_max: int = 8_192
    permission_label_length_max: int = 80

    # API reference, StartMessageMoveTask, ListMessageMoveTasks; developer guide, "Dead-letter queue redrive".
    moved_messages_per_second_max: int = 500
    move_tasks_listed_max: int = 10
    active_move_tasks_max: int = 100

    # Developer guide, "How Amazon SQS fair queues work": when a tenant counts as noisy, and when no longer.
    fair_noisy_share: float = 0.10
    fair_noisy_in_flight_min: int = 30
    fair_calm_seconds: int = 300


AWS_LIMITS = QueueLimits()
"""What AWS gives to every account."""
