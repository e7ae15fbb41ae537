"""Requests made from AWS's own service models: valid, nearly valid, and hostile.

A request is made of a seeded source of chance.  Its values are what the shape asks for, and
mostly name what exists: the names come from a small pool, handles, iterators and tokens from earlier answers.
Then it is spoilt, or not: a value, the bytes, or the headers.
"""

import base64
import gzip
import json
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

import cbor2

from queuestream.aws.front_end.http import HttpRequest
from queuestream.aws.models import input_shape
from queuestream.aws.operations import OPERATIONS

ACCOUNT = "123456789012"
QUEUES = {
    "dead": {},
    "fuzz": {
        "redrive_policy": {
            "deadLetterTargetArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:dead",
            "maxReceiveCount": 3,
        }
    },
    "dead.fifo": {"fifo_queue": True},
    "fuzz.fifo": {"fifo_queue": True, "content_based_deduplication": True},
}
MOSTLY = ["fuzz", "fuzz", "fuzz", *QUEUES]
STREAMS = ["events", "clicks"]
BASE_URL = "http://sqs.us-east-1.localhost:4566"

# What is found in answers, and in which members of later requests it goes.
REMEMBERED = {
    "ReceiptHandle": "ReceiptHandle",
    "ShardIterator": "ShardIterator",
    "NextShardIterator": "ShardIterator",
    "SequenceNumber": "SequenceNumber",
    "StartingSequenceNumber": "SequenceNumber",
    "NextToken": "NextToken",
    "ConsumerARN": "ConsumerARN",
    "ShardId": "ShardId",
    "TaskHandle": "TaskHandle",
}
PLACES = {
    "SequenceNumber": ("SequenceNumber", "StartingSequenceNumber", "SequenceNumberForOrdering"),
    "ShardId": ("ShardId", "ShardToSplit", "ShardToMerge", "AdjacentShardToMerge", "ExclusiveStartShardId"),
}
POOL_OF = {place: kind for kind, places in PLACES.items() for place in places}

QUEUE_ATTRIBUTES = {
    "VisibilityTimeout": ["0", "30", "43200", "43201", "-1", "x"],
    "DelaySeconds": ["0", "900", "901"],
    "MessageRetentionPeriod": ["60", "1209600", "59"],
    "MaximumMessageSize": ["1024", "1048576", "12"],
    "ReceiveMessageWaitTimeSeconds": ["0", "20", "21"],
    "RedrivePolicy": [
        json.dumps({"deadLetterTargetArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:dead", "maxReceiveCount": "3"}),
        json.dumps({"deadLetterTargetArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:none", "maxReceiveCount": 1}),
        "{}",
        "{",
        "[" * 5_000,
        "",
    ],
    "FifoQueue": ["true", "false", "yes"],
    "ContentBasedDeduplication": ["true", "false"],
    "Policy": ["{}", "", '{"Statement":[]}', "[]", "null"],
    "KmsMasterKeyId": ["alias/aws/sqs", ""],
    "QueueArn": ["x"],
    "NoSuchAttribute": ["1"],
}

HOSTILE = [
    None,
    True,
    False,
    0,
    -1,
    2**31,
    2**63,
    2**70,
    -(2**200),
    1.5,
    1e308,
    float("nan"),
    float("inf"),
    "",
    " ",
    "\x00",
    "\ud800",
    "\uffff",
    "é" * 300,
    "x" * 3_000,
    "%00%ff",
    "../../etc/passwd",
    "arn:aws:sqs:us-east-1:123456789012:fuzz",
    "arn:aws:kinesis:us-east-1:999999999999:stream/events",
    "arn:aws:kinesis:us-east-1:123456789012:stream/",
    "NaN",
    "1e999",
    "9" * 5_000,
    [],
    [[]],
    {},
    {"": None},
    [None] * 11,
    {"a": {"b": {"c": [1, {"d": None}]}}},
    [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]],
    b"\x00\xff",
    datetime(1969, 1, 1, tzinfo=UTC),
]

RAW_BODIES = [
    b"",
    b"null",
    b"[]",
    b'"x"',
    b"{",
    b"}",
    b"{}{}",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"QueueUrl":"a","QueueUrl":"b"}',
    b"\xbf",
    b"\xdb\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\xc1" * 2_000 + b"\x00",
    b"Action=" + b"%" * 300,
    b"&" * 5_000,
    b"Action=SendMessage&Entry.99999999999.Id=x",
    b"Action=SendMessage&MessageAttribute.1.Name=a&MessageAttribute.1.Value.DataType=String",
]

HEADERS = {
    "x-amz-target": [
        "",
        "AmazonSQS",
        "AmazonSQS.",
        "AmazonSQS.NoSuch",
        "Kinesis_20131202.x\x00",
        "é.é",
        "DynamoDB.Get",
    ],
    "content-type": [
        "",
        "text/plain",
        "application/json; charset=latin-1",
        "application/x-amz-cbor-1.1",
        "é",
    ],
    "content-encoding": ["gzip", "br", "gzip, gzip", ""],
    "authorization": [
        "",
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=x, Signature=y",
        "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/sqs/aws4_request, SignedHeaders=, Signature=",
        "Bearer x",
        "AWS4-HMAC-SHA256 Credential=/////",
    ],
    "host": ["", "localhost", "é", "fuzz.queue.localhost:99999", "a" * 3_000],
    "x-amz-date": ["", "yesterday", "20260101T000000Z"],
}


class Requests:
    """Makes requests, and learns from answers."""

    def __init__(self, chance):
        self.chance = chance
        self.known = {kind: [] for kind in set(REMEMBERED.values())}
        self.operations = [(service, name) for service, table in OPERATIONS.items() for name in table]

    def learn(self, answer):
        """Remember what an answer, as JSON, tells of handles and iterators."""
        if isinstance(answer, dict):
            for name, value in answer.items():
                kind = REMEMBERED.get(name)
                if kind and isinstance(value, str):
                    pool = self.known[kind]
                    pool.append(value)
                    del pool[:-20]
                else:
                    self.learn(value)
        elif isinstance(answer, list):
            for item in answer[:3]:
                self.learn(item)

    def call(self):
        """A call that may well succeed: (service, operation, parameters)."""
        service, operation = self.chance.choice(self.operations)
        shape = input_shape(service, operation)
        return service, operation, {} if shape is None else self.structure(shape, operation)

    def next(self):
        """The next request, spoilt or not, and what it means: (service, operation, request)."""
        service, operation, body = self.call()
        draw = self.chance.random()
        if draw < 0.35:
            body = self.spoilt(body)
        protocol = self.chance.choice(["json", "json", "query" if service == "sqs" else "cbor"])
        request = self.encoded(service, operation, protocol, body)
        if draw > 0.94:
            request.headers.update(self.spoilt_header(request))
        elif draw > 0.88:
            request.body = self.spoilt_bytes(request.body)
        return service, operation, request

    # --- values that a shape asks for ---

    def structure(self, shape, operation):
        chance = self.chance
        members = {
            name: self.value(member, name, operation)
            for name, member in shape.members.items()
            if name in shape.required_members or chance.random() < 0.2
        }
        if "StreamName" in shape.members and "StreamARN" in shape.members and chance.random() < 0.9:
            members["StreamName"] = chance.choice(STREAMS)
            for name in ("StreamARN", "StreamId"):
                members.pop(name, None)
        return members

    def value(self, shape, name, operation):
        chance = self.chance
        known = self.known.get(POOL_OF.get(name, name))
        if known and chance.random() < 0.9:
            return chance.choice(known)
        if name == "QueueUrl":
            return f"{BASE_URL}/{ACCOUNT}/{chance.choice(MOSTLY)}"
        if name == "QueueName":
            return chance.choice([*MOSTLY, "another"])
        if name == "AWSAccountIds":
            return [ACCOUNT]
        if name == "Actions":
            return ["SendMessage"]
        if name == "Label":
            return chance.choice("abcdefgh")
        if name == "SourceArn":
            return f"arn:aws:sqs:us-east-1:{ACCOUNT}:{chance.choice(['dead', *QUEUES])}"
        if name == "StreamName":
            return chance.choice([*STREAMS, "another"])
        if name in {"StreamARN", "ResourceARN"}:
            return f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/{chance.choice(STREAMS)}"
        if name == "DestinationArn":
            return f"arn:aws:sqs:us-east-1:{ACCOUNT}:{chance.choice(MOSTLY)}"
        if name == "Attributes" and operation in {"CreateQueue", "SetQueueAttributes"}:
            names = chance.sample(sorted(QUEUE_ATTRIBUTES), chance.randint(0, 3))
            return {name: chance.choice(QUEUE_ATTRIBUTES[name]) for name in names}
        return self.of_type(shape, name, operation)

    def of_type(self, shape, name, operation):
        chance = self.chance
        kind = shape.type_name
        low, high = shape.metadata.get("min", 0), shape.metadata.get("max")
        if kind == "structure":
            return self.structure(shape, operation)
        if kind == "list":
            count = chance.randint(low, min(high or 4, 4) if low <= 4 else low)
            return [self.value(shape.member, shape.member.name, operation) for _ in range(count)]
        if kind == "map":
            return {
                self.value(shape.key, "key", operation): self.value(shape.value, "value", operation)
                for _ in range(chance.randint(0, 3))
            }
        if kind in {"integer", "long"}:
            return chance.choice(
                [low, low + 1, chance.randint(low, min(high or 30, 30) if low <= 30 else low)]
            )
        if kind == "boolean":
            return chance.random() < 0.5
        if kind == "blob":
            return chance.randbytes(chance.choice([0, 1, 40]))
        if kind == "timestamp":
            return datetime.fromtimestamp(chance.choice([0, 1_735_689_600, 1_735_689_700]), UTC)
        return self.text(shape, name)

    def text(self, shape, name):
        chance = self.chance
        if getattr(shape, "enum", None):
            return chance.choice(shape.enum)
        if name == "ExplicitHashKey" or "HashKey" in name:
            return str(chance.choice([0, 1, 2**127, 2**128 - 1, chance.getrandbits(128)]))
        if name == "DataType":
            return chance.choice(["String", "Number", "Binary", "String.x", "Float"])
        if name == "StringValue":
            return chance.choice(["1", "text", "-1.5e10"])
        if name == "AttributeName" or shape.name == "QueueAttributeName":
            return chance.choice(["All", *QUEUE_ATTRIBUTES])
        return "".join(chance.choices("abcXYZ019-_", k=chance.randint(1, 12)))

    # --- spoiling ---

    def spoilt(self, body):
        """The body with something wrong at one place."""
        chance = self.chance
        place, steps = body, chance.randint(0, 3)
        while steps and isinstance(place, (dict, list)) and place:
            key = chance.choice(list(place)) if isinstance(place, dict) else chance.randrange(len(place))
            if not isinstance(place[key], (dict, list)) or steps == 1:
                break
            place, steps = place[key], steps - 1
        hostile = chance.choice(HOSTILE)
        if isinstance(place, list):
            place.append(hostile)
        elif isinstance(place, dict):
            keys = list(place)
            draw = chance.random()
            if keys and draw < 0.2:
                del place[chance.choice(keys)]
            elif draw < 0.3 or not keys:
                place[chance.choice(["Unknown", "", "__type", "QueueUrl", "é"])] = hostile
            else:
                place[chance.choice(keys)] = hostile
        return body

    def spoilt_bytes(self, body):
        chance = self.chance
        draw = chance.random()
        if draw < 0.3:
            return chance.choice(RAW_BODIES)
        if not body:
            return b"\x00"
        place = chance.randrange(len(body))
        if draw < 0.5:
            return body[:place]
        if draw < 0.6:
            return gzip.compress(body)[:-4]
        return body[:place] + chance.randbytes(chance.randint(1, 4)) + body[place + 1 :]

    def spoilt_header(self, request):
        name = self.chance.choice(list(HEADERS))
        value = self.chance.choice(HEADERS[name])
        if name == "content-encoding" and value == "gzip" and self.chance.random() < 0.5:
            request.body = gzip.compress(request.body)
        return {name: value}

    # --- on the wire ---

    def encoded(self, service, operation, protocol, body):
        headers = {"host": BASE_URL.removeprefix("http://")}
        if protocol == "query":
            headers["content-type"] = "application/x-www-form-urlencoded; charset=utf-8"
            text = urlencode(
                [("Action", operation), ("Version", "2012-11-05"), *flattened(body)], errors="replace"
            )
            path = f"/{ACCOUNT}/{self.chance.choice(MOSTLY)}" if self.chance.random() < 0.5 else "/"
            if self.chance.random() < 0.1:
                return HttpRequest("GET", path, text, headers, b"")
            return HttpRequest("POST", path, "", headers, text.encode())
        target = "AmazonSQS" if service == "sqs" else "Kinesis_20131202"
        headers["x-amz-target"] = f"{target}.{operation}"
        if protocol == "cbor":
            headers["content-type"] = "application/x-amz-cbor-1.1"
            return HttpRequest("POST", "/", "", headers, in_cbor(body))
        headers["content-type"] = (
            "application/x-amz-json-1.0" if service == "sqs" else "application/x-amz-json-1.1"
        )
        return HttpRequest("POST", "/", "", headers, json.dumps(body, default=in_json).encode())


def in_json(value):
    """What JSON has no word for."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.timestamp()


def in_cbor(value):
    """A body in CBOR, with times as AWS's SDKs write them: tagged, in milliseconds."""

    def plain(value):
        if isinstance(value, str):
            return value.encode("utf-8", "replace").decode()  # CBOR has no lone surrogates
        if isinstance(value, dict):
            return {plain(key): plain(item) for key, item in value.items()}
        if isinstance(value, list):
            return [plain(item) for item in value]
        if isinstance(value, datetime):
            return cbor2.CBORTag(1, int(value.timestamp() * 1000))
        return value

    return cbor2.dumps(plain(value))


def flattened(value, prefix=""):
    """A body as the query protocol's names and values."""
    singular = {
        "Entries": "Entry",
        "AttributeNames": "AttributeName",
        "MessageAttributeNames": "MessageAttributeName",
    }
    if isinstance(value, dict):
        for number, (name, item) in enumerate(value.items(), 1):
            if prefix.endswith(("Attributes", "Tags", "tags")):
                stem = prefix.removesuffix("s").replace("tag", "Tag")
                key, content = ("Key", "Value") if stem.endswith("Tag") else ("Name", "Value")
                yield f"{stem}.{number}.{key}", quote(name, errors="replace")
                yield from flattened(item, f"{stem}.{number}.{content}")
            else:
                yield from flattened(item, f"{prefix}.{name}" if prefix else name)
    elif isinstance(value, list):
        stem = singular.get(prefix.rpartition(".")[2], prefix.removesuffix("s"))
        for number, item in enumerate(value, 1):
            yield from flattened(item, f"{stem}.{number}")
    elif isinstance(value, bytes):
        yield prefix, base64.b64encode(value).decode()
    elif isinstance(value, datetime):
        yield prefix, value.isoformat()
    else:
        yield prefix, str(value).lower() if isinstance(value, bool) else str(value)
