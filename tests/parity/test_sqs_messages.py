"""SQS: what a message may be, and what it carries."""

import hashlib

import pytest
from drivers.refusals import refused

from queuestream.core.queues.message_attributes import MessageAttribute

SEND = "SQS API reference: SendMessage"
METADATA = "SQS developer guide: Amazon SQS message metadata"
QUOTAS = "SQS developer guide: Amazon SQS message quotas"
MEBIBYTE = 1_048_576
ALLOWED = "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


def too_long(size):
    return refused(
        "InvalidParameterValue",
        f"One or more parameters are invalid. Reason: Message must be shorter than {size} bytes.",
    )


# --- the body ---


@pytest.mark.aws("A message can be 1 MiB.", page=QUOTAS)
def test_a_body_of_one_mebibyte_is_taken(queue):
    queue.send("x" * MEBIBYTE)
    [message] = queue.receive()
    assert len(message.body) == MEBIBYTE


@pytest.mark.aws("A message is 1 MiB at most.", page=QUOTAS)
def test_a_body_of_one_byte_more_is_refused(queue):
    with too_long(MEBIBYTE):
        queue.send("x" * (MEBIBYTE + 1))


@pytest.mark.aws("The size of a message is counted in bytes.", page=QUOTAS)
def test_the_size_is_that_of_the_bytes(broker):
    queue = broker.create_queue("small", maximum_message_size=1_024)
    queue.send("ü" * 512)
    with too_long(1_024):
        queue.send("ü" * 513)


@pytest.mark.aws("Names, types and values of message attributes count towards the size.", page=METADATA)
def test_attributes_count_towards_the_size(broker):
    queue = broker.create_queue("small", maximum_message_size=1_024)
    attributes = {"name": "v" * 10}  # 4 + 6 + 10 bytes
    queue.send("x" * 1_004, message_attributes=attributes)
    with too_long(1_024):
        queue.send("x" * 1_005, message_attributes=attributes)


@pytest.mark.aws(
    "MaximumMessageSize of the queue limits its messages.", page="SQS API reference: CreateQueue"
)
def test_a_queue_can_take_smaller_messages_only(broker):
    queue = broker.create_queue("small", maximum_message_size=1_024)
    queue.send("x" * 1_024)
    with too_long(1_024):
        queue.send("x" * 1_025)


@pytest.mark.aws("The shortest message is one character.", page=SEND)
def test_an_empty_body_is_refused(queue):
    with refused("MissingParameter", "The request must contain the parameter MessageBody."):
        queue.send("")


@pytest.mark.parametrize("text", ["\t\n\r", " ~", "\ud7ff\ue000", "\ufffd", "\U00010000\U0010ffff"])
@pytest.mark.aws("A body is Unicode text of the characters that XML allows.", page=SEND)
def test_characters_that_are_allowed_arrive_unchanged(queue, text):
    queue.send(text)
    assert queue.receive()[0].body == text


@pytest.mark.parametrize(
    ("character", "shown"), [("\0", "0"), ("\x0b", "B"), ("\x1f", "1F"), ("\uffff", "FFFF")]
)
@pytest.mark.aws("Other characters are refused.", page=SEND)
def test_other_characters_are_refused(queue, character, shown):
    with refused(
        "InvalidMessageContents",
        f"Invalid binary character '#x{shown}' was found in the message body, "
        f"the set of allowed characters is {ALLOWED}",
    ):
        queue.send(f"before {character} after")


# --- attributes ---


@pytest.mark.aws("An attribute has a name, a type (String, Number, Binary) and a value.", page=METADATA)
def test_attributes_arrive_with_their_types(queue):
    attributes = {
        "name": MessageAttribute("String", "Jane"),
        "age": MessageAttribute("Number", "42"),
        "photo": MessageAttribute("Binary", b"\x89PNG\0"),
    }
    queue.send("hello", message_attributes=attributes)
    assert queue.receive()[0].message_attributes == attributes


@pytest.mark.aws("A type may have a label of its own.", page=METADATA)
def test_types_may_have_labels(queue):
    attributes = {
        "temperature": MessageAttribute("Number.float", "21.5"),
        "photo": MessageAttribute("Binary.png", b"\x89PNG"),
    }
    queue.send("hello", message_attributes=attributes)
    assert queue.receive()[0].message_attributes == attributes


@pytest.mark.aws("A message has ten attributes at most.", page=METADATA)
def test_ten_attributes_are_taken_and_eleven_are_not(queue):
    queue.send("hello", message_attributes={f"n{number}": number for number in range(10)})
    with refused(
        "InvalidParameterValue", "Number of message attributes [11] exceeds the allowed maximum [10]."
    ):
        queue.send("hello", message_attributes={f"n{number}": number for number in range(11)})


@pytest.mark.parametrize("name", ["a", "A-z_0.9", "n" * 256])
@pytest.mark.aws("A name has letters, digits, underscores, hyphens and periods, 256 at most.", page=METADATA)
def test_names_that_are_taken(queue, name):
    queue.send("hello", message_attributes={name: "value"})
    assert list(queue.receive()[0].message_attributes) == [name]


@pytest.mark.parametrize("name", ["a b", "a/b", "n" * 257, ".a", "a.", "a..b", "AWS.a", "aws.b", "Amazon.c"])
@pytest.mark.aws(
    "A name has no other characters, no period at its ends, and does not begin as AWS's own do.",
    page=METADATA,
)
def test_names_that_are_refused(queue, name):
    with refused("InvalidParameterValue"):
        queue.send("hello", message_attributes={name: "value"})


@pytest.mark.parametrize("data_type", ["string", "Text", "Numeric"])
@pytest.mark.aws("The types are String, Number and Binary.", page=METADATA)
def test_other_types_are_refused(queue, data_type):
    with refused(
        "InvalidParameterValue",
        "The type of message (user) attribute 'a' is invalid. You must use only the following "
        "supported type prefixes: Binary, Number, String.",
    ):
        queue.send("hello", message_attributes={"a": MessageAttribute(data_type, "value")})


@pytest.mark.parametrize("number", ["1", "-1.5", "1e10", "9" * 38, "1e126", "1e-128"])
@pytest.mark.aws("A Number has 38 digits at most, from 10^-128 to 10^126.", page=METADATA)
def test_numbers_that_are_taken(queue, number):
    queue.send("hello", message_attributes={"a": MessageAttribute("Number", number)})
    assert queue.receive()[0].message_attributes["a"].value == number


@pytest.mark.parametrize("number", ["one", "1,5", "9" * 39, "1e127", "1e-129"])
@pytest.mark.aws("A Number is a number.", page=METADATA)
def test_other_numbers_are_refused(queue, number):
    with refused(
        "InvalidParameterValue", "Can't cast the value of message (user) attribute 'a' to a number."
    ):
        queue.send("hello", message_attributes={"a": MessageAttribute("Number", number)})


@pytest.mark.aws("Name, type and value must not be empty.", page=SEND)
def test_an_empty_value_is_refused(queue):
    with refused(
        "InvalidParameterValue",
        "Message (user) attribute 'a' must contain a non-empty value of type 'String'.",
    ):
        queue.send("hello", message_attributes={"a": ""})


@pytest.mark.aws("An attribute's value is of the characters that a body is of.", page=METADATA)
def test_a_value_with_other_characters_is_refused(queue):
    with refused("InvalidParameterValue"):
        queue.send("hello", message_attributes={"a": "\0"})


# --- digests ---


@pytest.mark.aws(
    "MD5OfMessageAttributes is the digest of names, types and values, encoded in the order of the names.",
    page="SQS developer guide: Calculating the MD5 message digest for message attributes",
)
def test_the_digest_of_attributes_is_the_documented_one(queue):
    attributes = {"b": MessageAttribute("Binary", b"\x01\x02"), "a": MessageAttribute("String", "x")}
    sent = queue.send("hello", message_attributes=attributes)
    [message] = queue.receive()
    # Each part behind its length in four bytes; a value behind one more byte, 1 for text and 2 for bytes.
    encoded = (
        b"\0\0\0\x01a" + b"\0\0\0\x06String" + b"\x01" + b"\0\0\0\x01x"
        b"\0\0\0\x01b" + b"\0\0\0\x06Binary" + b"\x02" + b"\0\0\0\x02\x01\x02"
    )
    assert sent.md5_of_message_attributes == hashlib.md5(encoded).hexdigest()
    assert message.md5_of_message_attributes == sent.md5_of_message_attributes


@pytest.mark.aws("A message without attributes has no digest of them.", page=SEND)
def test_no_attributes_have_no_digest(queue):
    assert queue.send("hello").md5_of_message_attributes is None


# --- the trace header ---


@pytest.mark.aws(
    "AWSTraceHeader is a system attribute: it travels with the message and does not count towards its size.",
    page=METADATA,
)
def test_a_trace_header_arrives_and_weighs_nothing(broker):
    queue = broker.create_queue("small", maximum_message_size=1_024)
    sent = queue.send("x" * 1_024, message_system_attributes={"AWSTraceHeader": TRACE})
    assert sent.md5_of_message_system_attributes is not None
    assert queue.receive()[0].aws_trace_header == TRACE


@pytest.mark.aws("AWSTraceHeader is the only system attribute that can be sent.", page=SEND)
def test_other_system_attributes_are_refused(queue):
    with refused("InvalidParameterValue", "Message system attribute name 'SenderId' is invalid."):
        queue.send("hello", message_system_attributes={"SenderId": "me"})


@pytest.mark.aws("AWSTraceHeader is a trace header of AWS X-Ray.", page=SEND)
def test_what_is_no_trace_header_is_refused(queue):
    with refused("InvalidParameterValue"):
        queue.send("hello", message_system_attributes={"AWSTraceHeader": "not at all"})
