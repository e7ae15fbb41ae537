"""SQS: dead-letter queues, and bringing messages back from them."""

import pytest
from drivers.refusals import refused

DEAD_LETTERS = "SQS developer guide: Using dead-letter queues in Amazon SQS"
RETENTION = "SQS developer guide: Setting up dead-letter queue retention"
SET = "SQS API reference: SetQueueAttributes"
RECEIVE = "SQS API reference: ReceiveMessage"
LIST_SOURCES = "SQS API reference: ListDeadLetterSourceQueues"
START = "SQS API reference: StartMessageMoveTask"
LIST_TASKS = "SQS API reference: ListMessageMoveTasks"
CANCEL = "SQS API reference: CancelMessageMoveTask"
REDRIVE = "SQS developer guide: Learn how to configure a dead-letter queue redrive in Amazon SQS"


def bodies(queue):
    return [message.body for message in queue.receive(max_number_of_messages=10)]


def fail(queue, times=1):
    """Receive a message and let it come back; once more than the policy allows makes it a dead letter."""
    for _ in range(times):
        queue.receive(visibility_timeout=0)
    assert queue.receive() == []


@pytest.fixture
def dead(broker):
    return broker.create_queue("dead")


@pytest.fixture
def source(broker, dead):
    policy = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1}
    return broker.create_queue("source", redrive_policy=policy)


# --- the way there ---


@pytest.mark.aws(
    "A message that was received maxReceiveCount times and not deleted goes to the dead-letter queue.",
    page=DEAD_LETTERS,
)
def test_a_message_that_fails_too_often_goes_to_the_dead_letter_queue(broker, dead):
    policy = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": 3}
    source = broker.create_queue("source", redrive_policy=policy)
    source.send("poison")
    assert [source.receive(visibility_timeout=0)[0].receive_count for _ in range(3)] == [1, 2, 3]
    assert bodies(source) == []
    assert bodies(dead) == ["poison"]
    assert source.counts() == (0, 0, 0)


@pytest.mark.aws("A dead letter keeps its id, its attributes and its count of receives.", page=DEAD_LETTERS)
def test_a_dead_letter_is_the_same_message(source, dead):
    sent = source.send("poison", message_attributes={"kind": "bad"})
    fail(source)
    [letter] = dead.receive()
    assert letter.message_id == sent.message_id
    assert letter.message_attributes["kind"].value == "bad"
    assert letter.receive_count == 2


@pytest.mark.aws("DeadLetterQueueSourceArn names the queue that a dead letter comes from.", page=RECEIVE)
def test_a_dead_letter_says_where_it_comes_from(source, dead):
    source.send("poison")
    fail(source)
    assert dead.receive()[0].dead_letter_queue_source_arn == source.arn


@pytest.mark.aws(
    "A message of a standard queue keeps its time of sending, from which its retention counts.",
    page=RETENTION,
)
def test_a_dead_letter_of_a_standard_queue_keeps_its_age(broker, clock):
    dead = broker.create_queue("dead", message_retention_period=100)
    policy = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1}
    source = broker.create_queue("source", redrive_policy=policy)
    source.send("poison")
    clock.advance(seconds=60)
    fail(source)
    clock.advance(seconds=39)
    assert dead.counts().visible == 1
    clock.advance(seconds=1)
    assert dead.counts().visible == 0


@pytest.mark.aws(
    "A message of a FIFO queue gets a new time of sending, from which its retention counts.", page=RETENTION
)
def test_a_dead_letter_of_a_fifo_queue_is_young_again(broker, clock):
    dead = broker.create_queue("dead.fifo", fifo_queue=True, message_retention_period=100)
    policy = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1}
    source = broker.create_queue("source.fifo", fifo_queue=True, redrive_policy=policy)
    source.send("poison", message_group_id="a", message_deduplication_id="1")
    clock.advance(seconds=60)
    fail(source)
    clock.advance(seconds=99)
    assert dead.counts().visible == 1
    clock.advance(seconds=1)
    assert dead.counts().visible == 0


@pytest.mark.aws("A message that is deleted in time is no dead letter.", page=DEAD_LETTERS)
def test_a_message_that_succeeds_at_last_is_no_dead_letter(source, dead):
    source.send("fine")
    [message] = source.receive()
    source.delete(message)
    assert dead.counts() == (0, 0, 0)


# --- redrive policies ---


@pytest.mark.aws("RedrivePolicy has the ARN of the dead-letter queue and maxReceiveCount.", page=SET)
def test_a_redrive_policy_is_kept(source, dead):
    policy = source.attributes.redrive_policy
    assert (policy.dead_letter_target_arn, policy.max_receive_count) == (dead.arn, 1)


@pytest.mark.aws("The dead-letter queue must exist.", page=DEAD_LETTERS)
def test_a_dead_letter_queue_that_does_not_exist_is_refused(queue, dead):
    arn = dead.arn + "-not"
    with refused("InvalidParameterValue"):
        queue.set_attributes(redrive_policy={"deadLetterTargetArn": arn, "maxReceiveCount": 1})
    assert queue.attributes.redrive_policy is None


@pytest.mark.aws(
    "The dead-letter queue of a FIFO queue is a FIFO queue; that of a standard queue is a standard queue.",
    page=DEAD_LETTERS,
)
def test_a_dead_letter_queue_is_of_the_same_kind(fifo_queue, dead):
    with refused("InvalidParameterValue"):
        fifo_queue.set_attributes(redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1})


@pytest.mark.parametrize("count", [0, 1_001])
@pytest.mark.aws("maxReceiveCount is 1 to 1,000.", page=SET)
def test_a_count_out_of_range_is_refused(queue, dead, count):
    with refused("InvalidParameterValue"):
        queue.set_attributes(redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": count})


@pytest.mark.aws("An ARN that is none is refused before any queue is looked for.", page=SET)
def test_what_is_no_arn_is_refused(queue):
    with refused("InvalidParameterValue"):
        queue.set_attributes(redrive_policy={"deadLetterTargetArn": "dummy", "maxReceiveCount": 42})


@pytest.mark.aws("RedriveAllowPolicy denyAll lets no queue name this one.", page=SET)
def test_a_queue_can_refuse_all_dead_letters(broker, dead, queue):
    dead.set_attributes(redrive_allow_policy={"redrivePermission": "denyAll"})
    with refused("InvalidParameterValue"):
        queue.set_attributes(redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1})


@pytest.mark.aws("RedriveAllowPolicy byQueue lets those queues name this one that are listed.", page=SET)
def test_a_queue_can_name_those_whose_dead_letters_it_takes(broker, dead, queue):
    other = broker.create_queue("other")
    dead.set_attributes(redrive_allow_policy={"redrivePermission": "byQueue", "sourceQueueArns": [queue.arn]})
    policy = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1}
    queue.set_attributes(redrive_policy=policy)
    with refused("InvalidParameterValue"):
        other.set_attributes(redrive_policy=policy)


@pytest.mark.aws("byQueue takes up to ten source queues.", page=SET)
def test_a_policy_names_ten_queues_at_most(dead, queue):
    arns = [f"{queue.arn}-{number}" for number in range(11)]
    dead.set_attributes(redrive_allow_policy={"redrivePermission": "byQueue", "sourceQueueArns": arns[:10]})
    with refused("InvalidParameterValue"):
        dead.set_attributes(redrive_allow_policy={"redrivePermission": "byQueue", "sourceQueueArns": arns})


@pytest.mark.aws("The queues that have this one as their dead-letter queue are listed.", page=LIST_SOURCES)
def test_the_sources_of_a_dead_letter_queue_are_listed(source, dead, queue):
    assert [one.name for one in dead.list_dead_letter_source_queues()] == ["source"]
    assert dead.list_dead_letter_source_queues().next_token is None
    assert list(source.list_dead_letter_source_queues()) == []


@pytest.mark.aws("With MaxResults the list comes in pages.", page=LIST_SOURCES)
def test_the_sources_come_in_pages(broker, dead):
    policy = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1}
    for name in ("a", "b", "c"):
        broker.create_queue(name, redrive_policy=policy)
    page = dead.list_dead_letter_source_queues(max_results=2)
    assert [one.name for one in page] == ["a", "b"]
    rest = dead.list_dead_letter_source_queues(max_results=2, next_token=page.next_token)
    assert [one.name for one in rest] == ["c"]
    assert rest.next_token is None


# --- the way back ---


@pytest.fixture
def letters(source, dead):
    """A dead-letter queue with three messages."""
    source.send_batch(["one", "two", "three"])
    source.receive(max_number_of_messages=10, visibility_timeout=0)
    assert source.receive(max_number_of_messages=10) == []
    return dead


@pytest.mark.aws("A move task moves dead letters back to the queue that they came from.", page=START)
def test_dead_letters_go_back_where_they_came_from(letters, source, clock):
    letters.start_message_move_task()
    clock.advance(seconds=1)
    assert sorted(bodies(source)) == ["one", "three", "two"]
    assert letters.counts().visible == 0


@pytest.mark.aws("Dead letters of several queues go back to each of them.", page=START)
def test_dead_letters_of_several_queues_go_back_to_each(broker, dead, clock):
    policy = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1}
    sources = [broker.create_queue(name, redrive_policy=policy) for name in ("left", "right")]
    for source in sources:
        source.send(f"from {source.name}")
        fail(source)
    dead.start_message_move_task()
    clock.advance(seconds=1)
    assert [bodies(source) for source in sources] == [["from left"], ["from right"]]


@pytest.mark.aws("A move task can have another destination.", page=START)
def test_dead_letters_can_go_elsewhere(broker, letters, source, clock):
    elsewhere = broker.create_queue("elsewhere")
    letters.start_message_move_task(elsewhere.arn)
    clock.advance(seconds=1)
    assert elsewhere.counts().visible == 3
    assert source.counts().visible == 0


@pytest.mark.aws(
    "A message that is moved is a new one: new id, new time of sending, never received.", page=REDRIVE
)
def test_a_moved_message_is_a_new_one(letters, source, clock):
    old = {message.message_id for message in letters.receive(max_number_of_messages=10, visibility_timeout=0)}
    clock.advance(seconds=100)
    started_ms = clock.now_ns() // 1_000_000
    letters.start_message_move_task()
    clock.advance(seconds=1)
    moved = source.receive(max_number_of_messages=10)
    assert {message.message_id for message in moved} & old == set()
    assert [message.receive_count for message in moved] == [1, 1, 1]
    assert all(message.sent_timestamp_ms >= started_ms for message in moved)


@pytest.mark.aws("MaxNumberOfMessagesPerSecond is how fast messages are moved.", page=START)
def test_a_task_moves_at_its_rate(letters, source, clock):
    letters.start_message_move_task(max_number_of_messages_per_second=1)
    clock.advance(seconds=1.5)
    assert source.counts().visible == 1
    clock.advance(seconds=1)
    assert source.counts().visible == 2


@pytest.mark.aws(
    "A task says what it is doing: status, rate, how many it has moved and is to move.", page=LIST_TASKS
)
def test_a_running_task_says_how_far_it_is(letters, clock):
    started_ms = clock.now_ns() // 1_000_000
    handle = letters.start_message_move_task(max_number_of_messages_per_second=1)
    clock.advance(seconds=2)
    [task] = letters.list_message_move_tasks()
    assert task.task_handle == handle
    assert task.status == "RUNNING"
    assert task.source_arn == letters.arn
    assert task.destination_arn is None
    assert task.max_number_of_messages_per_second == 1
    assert task.approximate_number_of_messages_moved == 2
    assert task.approximate_number_of_messages_to_move == 3
    assert task.failure_reason is None
    assert task.started_timestamp_ms == started_ms


@pytest.mark.aws("Only a running task has a handle.", page=LIST_TASKS)
def test_a_task_that_is_over_has_no_handle(letters, clock):
    letters.start_message_move_task()
    clock.advance(seconds=1)
    [task] = letters.list_message_move_tasks()
    assert (task.status, task.task_handle) == ("COMPLETED", None)
    assert task.approximate_number_of_messages_moved == 3


@pytest.mark.aws(
    "The latest task is listed, or as many of the latest as MaxResults says, ten at most.", page=LIST_TASKS
)
def test_the_latest_tasks_are_listed(letters, clock):
    for _ in range(2):
        letters.start_message_move_task()
        clock.advance(seconds=1)
    assert len(letters.list_message_move_tasks()) == 1
    assert len(letters.list_message_move_tasks(max_results=10)) == 2
    with refused("InvalidParameterValue"):
        letters.list_message_move_tasks(max_results=11)


@pytest.mark.aws("A task that is cancelled moves no more; what it has moved stays moved.", page=CANCEL)
def test_a_cancelled_task_moves_no_more(broker, letters, source, clock):
    handle = letters.start_message_move_task(max_number_of_messages_per_second=1)
    clock.advance(seconds=1)
    assert broker.cancel_message_move_task(handle) == 1
    clock.advance(seconds=10)
    assert source.counts().visible == 1
    assert letters.list_message_move_tasks()[0].status == "CANCELLED"


@pytest.mark.aws("Only a running task can be cancelled.", page=CANCEL)
def test_a_task_that_is_over_is_not_cancelled(broker, letters, clock):
    handle = letters.start_message_move_task()
    clock.advance(seconds=1)
    with refused("UnsupportedOperation", "Only active tasks can be cancelled."):
        broker.cancel_message_move_task(handle)


@pytest.mark.aws("A handle is the one that a task was started with.", page=CANCEL)
def test_a_made_up_task_is_not_cancelled(broker, queue):
    with refused("InvalidParameterValue", "Value for parameter TaskHandle is invalid."):
        broker.cancel_message_move_task("made up")


@pytest.mark.aws("A queue has one running task at a time.", page=START)
def test_a_second_task_is_refused(letters):
    letters.start_message_move_task(max_number_of_messages_per_second=1)
    with refused(
        "InvalidParameterValue",
        "There is already a task running. "
        "Only one active task is allowed for a source queue arn at a given time.",
    ):
        letters.start_message_move_task()


@pytest.mark.aws("The source of a task is the dead-letter queue of another queue.", page=START)
def test_a_queue_that_is_nobodys_dead_letter_queue_is_no_source(queue):
    with refused("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue."):
        queue.start_message_move_task()


@pytest.mark.aws("Source and destination of a task exist.", page=START)
def test_a_destination_that_does_not_exist_is_refused(letters):
    with refused(
        "ResourceNotFoundException",
        "The resource that you specified for the DestinationArn parameter doesn't exist.",
    ):
        letters.start_message_move_task(letters.arn + "-not")


@pytest.mark.parametrize("rate", [0, 501])
@pytest.mark.aws("MaxNumberOfMessagesPerSecond is 500 at most.", page=START)
def test_a_rate_out_of_range_is_refused(letters, rate):
    with refused("InvalidParameterValue"):
        letters.start_message_move_task(max_number_of_messages_per_second=rate)
