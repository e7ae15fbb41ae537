"""Where servers that nobody here wrote differ from what AWS does: culprit by culprit, what each makes fail.

Each sentence is what a user of that server meets; `docs/reference/engines.md` has them all.  Versions:
moto 5.2.5, kinesis-local 0.6.2, kinesalite 3.3.3.
"""

HASH_KEYS = ("-1", "01", "1.0", "ten")


def each(test, *parameters):
    """A test's names with these parameters."""
    return tuple(f"{test}[{parameter}]" for parameter in parameters)


MOTO_SQS = {
    "moto does not check the range of a queue's attributes, nor whether there is such an attribute.": (
        "test_an_attribute_has_a_range",
        "test_an_attribute_that_does_not_exist_is_refused",
        "test_a_standard_queue_has_no_attributes_of_fifo_queues",
        "test_a_queues_kind_is_for_life",
        "test_throughput_by_group_needs_deduplication_by_group",
    ),
    "moto takes a queue's name with .fifo at its end for a standard queue.": (
        "test_a_name_of_another_form_is_refused[fifo]",
    ),
    "moto takes any page size.": ("test_a_page_size_out_of_range_is_refused",),
    "moto takes more than 50 tags.": ("test_a_queue_has_fifty_tags_at_most",),
    "moto has SQS's own encryption on beside a key, and takes a request for both.": (
        "test_a_key_ends_the_encryption_of_sqs_own",
        "test_two_kinds_of_encryption_are_refused",
    ),
    "moto takes negative delays and visibility timeouts.": (
        "test_a_delay_out_of_range_is_refused[-1]",
        "test_a_visibility_timeout_out_of_range_is_refused[-1]",
    ),
    "moto takes an empty body, and characters that SQS does not take, in batches too.": (
        "test_an_empty_body_is_refused",
        "test_characters_that_a_body_cannot_have_are_refused",
        "test_a_message_can_fail_while_others_are_sent",
    ),
    "moto does not count attributes towards a message's size.": (
        "test_a_queue_can_take_smaller_messages_only",
    ),
    "moto checks neither the number of a message's attributes nor most of what is wrong with them.": (
        "test_a_message_has_ten_attributes_at_most",
        *each(
            "test_an_attributes_name_of_another_form_is_refused",
            *("long", "first-dot", "last-dot", "two-dots", "aws", "amazon"),
        ),
        *each("test_an_attributes_value_of_another_form_is_refused", "word", "empty", "long"),
        "test_other_system_attributes_are_refused",
    ),
    "moto refuses a batch with two equal receipt handles before it counts its entries.": (
        "test_eleven_entries_are_refused",
    ),
    "moto gives messages of two groups though one group has more.": (
        "test_a_receive_takes_as_many_of_one_group_as_it_can",
    ),
    "moto deletes a message of a FIFO queue, and hides it, by a handle that has expired.": (
        "test_an_expired_handle_deletes_nothing",
        "test_a_message_of_a_fifo_queue_that_has_come_back_is_not_in_flight",
    ),
    "moto draws sequence numbers by lot, so that they do not grow.": (
        "test_sequence_numbers_grow",
        "test_a_fifo_batch_keeps_its_order",
    ),
    "moto takes any message group id.": ("test_a_group_id_of_another_form_is_refused",),
    "moto answers a duplicate with an id of its own, and forgets that of a deleted message.": (
        "test_a_duplicate_is_not_delivered",
        "test_a_duplicate_of_a_deleted_message_is_not_delivered",
    ),
    "moto deduplicates by queue where the scope is the message group.": ("test_duplicates_can_be_by_group",),
    "moto takes a deduplication id on a standard queue.": (
        "test_a_standard_queue_takes_no_deduplication_id",
    ),
    "moto does not say which queue a dead letter comes from.": (
        "test_a_dead_letter_says_where_it_comes_from",
    ),
    "moto refuses a redrive policy that makes no sense with other errors, or not at all.": (
        "test_a_dead_letter_queue_exists",
        "test_a_dead_letter_queue_is_of_the_same_kind",
        "test_a_number_of_receives_out_of_range_is_refused",
    ),
}

MOTO_KINESIS = {
    "moto's consumers have ARNs without the time of their registration.": ("test_a_consumer_is_registered",),
    "moto takes a consumer's name twice, and more than 20 consumers.": (
        "test_a_consumers_name_is_used_once",
        "test_a_stream_has_twenty_consumers_at_most",
    ),
    "moto keeps the consumer that is deregistered by its name, and drops the others.": (
        "test_a_consumer_is_deregistered_by_its_name_or_its_arn",
        "test_a_consumer_that_does_not_exist_is_not_found",
    ),
    "moto deletes a stream with its consumers without being asked to.": (
        "test_a_stream_with_consumers_is_not_deleted_by_accident",
    ),
    "moto lets a shard that was split or merged take records, so that it never ends.": (
        "test_records_go_to_the_children_after_a_split",
        "test_a_closed_shard_ends",
    ),
    "moto merges a shard into the other one instead of making a third.": (
        "test_two_shards_are_merged",
        "test_records_stay_in_the_shards_that_were_merged",
    ),
    "moto halves and joins shards until there are so many, whatever their sizes.": (
        *each("test_a_new_number_of_shards_gives_equal_ranges", "2-3", "3-2"),
    ),
    "moto takes any number of shards.": (
        "test_a_number_of_shards_is_doubled_or_halved_at_most",
        "test_a_stream_has_a_shard_at_least",
    ),
    "moto wants the stream's name beside a token of ListShards, where AWS refuses it.": (
        "test_shards_are_listed_page_by_page",
        "test_a_made_up_token_is_refused",
    ),
    "moto lists all shards whatever is asked for: ExclusiveStartShardId and filters are ignored.": (
        "test_shards_are_listed_after_one",
        "test_shards_are_filtered",
    ),
    "moto lists streams in the order of their making, all of them in its summaries, without a token.": (
        "test_streams_are_listed_by_name_and_page_by_page",
        "test_a_list_of_streams_goes_on_by_its_token",
        "test_a_list_of_streams_says_what_they_are",
    ),
    "moto describes a page of shards as if there were always more.": (
        "test_a_stream_is_described_page_by_page",
    ),
    "moto lists tags from the one after which it is to begin.": ("test_tags_are_listed_page_by_page",),
    "moto does not check tags, nor how many they are.": (
        "test_tags_have_characters_of_some_kinds_only",
        "test_a_stream_has_fifty_tags_at_most",
    ),
    "moto does not check what a shard iterator is asked for, or fails with 500.": (
        "test_a_timestamp_in_the_future_is_refused",
        "test_what_a_type_needs_must_be_given",
        "test_a_type_that_does_not_exist_is_refused",
        "test_a_sequence_number_of_another_shard_is_refused",
    ),
    "moto takes any limit of GetRecords, and fails with 500 where an iterator is made up.": (
        "test_a_limit_out_of_range_is_refused",
        "test_a_made_up_iterator_is_refused",
    ),
    "moto's shards leave out the last hash key of their range: a record with it fails with 500.": (
        *each("test_an_explicit_hash_key_decides_instead", "low", "last"),
    ),
    "moto takes a hash key with a leading zero, and fails with 500 where it is no number.": (
        *each("test_a_hash_key_of_another_form_is_refused", *HASH_KEYS),
    ),
    "moto numbers records shard by shard, and takes any number to order them after.": (
        "test_sequence_numbers_are_unique_in_a_stream",
        "test_a_made_up_number_for_ordering_is_refused",
    ),
    "moto takes records of any size up to 10 MiB, no records at all, and an empty partition key.": (
        "test_a_record_of_more_than_one_mebibyte_is_refused",
        "test_the_key_counts_towards_the_size_of_a_record",
        "test_no_records_cannot_be_put",
        "test_a_partition_key_has_1_to_256_characters[empty]",
    ),
    "moto refuses a long partition key with InvalidArgumentException.": (
        "test_a_partition_key_has_1_to_256_characters[long]",
        "test_a_request_that_is_refused_puts_nothing",
    ),
    "moto's limits of the account are figures that never change.": ("test_an_accounts_limits_are_described",),
    "moto lets an on-demand stream be resharded by hand, and its mode be changed at any time.": (
        "test_an_on_demand_stream_is_not_resharded_by_hand",
        "test_a_streams_mode_is_changed_twice_a_day",
    ),
    "moto does not say of a record that it is encrypted.": ("test_records_say_whether_they_are_encrypted",),
    "moto takes ALL for a metric of that name.": ("test_all_is_every_metric",),
}

KINESIS_LOCAL = {
    "kinesis-local has no second page of consumers: it gives no token.": (
        "test_consumers_are_listed_page_by_page",
    ),
    "kinesis-local refuses to delete a stream with consumers, and deletes it all the same.": (
        "test_a_stream_with_consumers_is_not_deleted_by_accident",
    ),
    "kinesis-local leaves out the tags of a new consumer.": ("test_consumers_have_tags_of_their_own",),
    "kinesis-local splits a shard at the ends of its range.": ("test_a_shard_is_split_inside_its_range",),
    "kinesis-local refuses to split a closed shard with ResourceInUseException.": (
        "test_a_closed_shard_cannot_be_split",
    ),
    "kinesis-local halves and joins shards until there are so many, whatever their sizes.": (
        *each("test_a_new_number_of_shards_gives_equal_ranges", "2-3", "3-2"),
    ),
    "kinesis-local lets the number of shards become less than half.": (
        "test_a_number_of_shards_is_doubled_or_halved_at_most",
    ),
    "kinesis-local filters by AT_TRIM_HORIZON as if that were now.": ("test_shards_are_filtered",),
    "kinesis-local takes a timestamp in the future, and a sequence number of another shard.": (
        "test_a_timestamp_in_the_future_is_refused",
        "test_a_sequence_number_of_another_shard_is_refused",
    ),
    "kinesis-local answers a type of iterator that does not exist with SerializationException.": (
        "test_a_type_that_does_not_exist_is_refused",
    ),
    "kinesis-local fails with 500 where an iterator is made up, or a hash key is no number.": (
        "test_a_made_up_iterator_is_refused",
        *each("test_a_hash_key_of_another_form_is_refused", "1.0", "ten"),
    ),
    "kinesis-local refuses with InvalidArgumentException what AWS's model of the parameter forbids.": (
        "test_a_limit_out_of_range_is_refused",
        *each("test_a_hash_key_of_another_form_is_refused", "-1", "01"),
        "test_a_record_of_more_than_one_mebibyte_is_refused",
        "test_a_partition_key_has_1_to_256_characters",
        "test_a_request_that_is_refused_puts_nothing",
    ),
    "kinesis-local refuses a stream without shards with LimitExceededException.": (
        "test_a_stream_has_a_shard_at_least",
    ),
    "kinesis-local does not count the partition key towards a record's size.": (
        "test_the_key_counts_towards_the_size_of_a_record",
    ),
    "kinesis-local takes more than 500 records at once, and none.": (
        "test_five_hundred_records_can_be_put_together",
        "test_no_records_cannot_be_put",
    ),
    "kinesis-local lists streams without summaries, and ignores the token.": (
        "test_a_list_of_streams_goes_on_by_its_token",
        "test_a_list_of_streams_says_what_they_are",
    ),
    "kinesis-local lets an on-demand stream be resharded by hand, and its mode be changed at any time.": (
        "test_an_on_demand_stream_is_not_resharded_by_hand",
        "test_a_streams_mode_is_changed_twice_a_day",
    ),
    "kinesis-local deletes a resource policy that is not there.": (
        "test_a_resource_policy_is_kept_and_taken_away",
    ),
}

KINESALITE = {
    "kinesalite has the reader of a closed shard's end behind by the time since it was closed.": (
        "test_a_closed_shard_ends",
    ),
    "kinesalite splits a closed shard again.": ("test_a_closed_shard_cannot_be_split",),
    "kinesalite takes hash keys that are not in AWS's form.": (
        *each("test_a_hash_key_of_another_form_is_refused", "-1", "01"),
    ),
    "kinesalite takes any number to order records after.": ("test_a_made_up_number_for_ordering_is_refused",),
    "kinesalite does not count the partition key towards a record's size.": (
        "test_the_key_counts_towards_the_size_of_a_record",
    ),
    "kinesalite does not know streams by their ARN.": ("test_a_stream_is_found_by_its_name_and_its_arn",),
    "kinesalite describes all shards, whatever the limit.": ("test_a_stream_is_described_page_by_page",),
    "kinesalite lists streams without summaries, and ignores the token.": (
        "test_a_list_of_streams_goes_on_by_its_token",
        "test_a_list_of_streams_says_what_they_are",
    ),
    "kinesalite keeps records for 168 hours at most, as AWS did once.": (
        "test_the_retention_period_is_made_longer_and_shorter",
        "test_the_retention_period_has_a_range",
    ),
}


def by_test(culprits):
    """As `known_differences` of a class of conformance tests has them."""
    return {test: culprit for culprit, tests in culprits.items() for test in tests}
