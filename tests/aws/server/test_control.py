"""The endpoints below /_queuestream/."""

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from server_clients import ask, client

import queuestream
from queuestream.aws import Aws
from queuestream.aws.front_end.http import HttpRequest
from queuestream.aws.server import Settings, serve
from queuestream.aws.server.control import Control
from queuestream.aws.server.manual_clock import ManualClock

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


@pytest.fixture
def aws():
    return Aws(clock=ManualClock(), seed=7)


@pytest.fixture
def control(aws):
    return Control(aws)


def asked(control, method, what, body=b"", content_type="application/json"):
    """What the control answers: the status and the JSON object."""
    import json

    path, _, query = f"/_queuestream/{what}".partition("?")
    response = control.respond(HttpRequest(method, path, query, {"content-type": content_type}, body))
    assert response.headers["Content-Type"] == "application/json"
    return response.status, json.loads(response.body)


def test_health_says_that_it_runs_and_which_version(control):
    assert asked(control, "GET", "health") == (200, {"status": "running", "version": queuestream.__version__})


def test_reset_forgets_every_queue_and_stream(control, aws):
    aws.broker().create_queue("emails")
    aws.broker("210987654321", "eu-west-1").create_stream("events", shard_count=1)

    assert asked(control, "POST", "reset") == (200, {"status": "reset"})
    assert not aws.broker().queues
    assert not aws.broker("210987654321", "eu-west-1").streams


def test_the_clock_says_what_time_it_is(control):
    assert asked(control, "GET", "clock") == (
        200,
        {"virtual": True, "now": "2025-01-01T00:00:00+00:00", "now_ns": 1_735_689_600_000_000_000},
    )


@pytest.mark.parametrize(
    ("body", "now"),
    [
        (b'{"seconds": 30}', "2025-01-01T00:00:30+00:00"),
        (b'{"hours": 12, "minutes": 0.5}', "2025-01-01T12:00:30+00:00"),
        (b'{"milliseconds": 1}', "2025-01-01T00:00:00.001000+00:00"),
        (b'{"seconds": 0}', "2025-01-01T00:00:00+00:00"),
    ],
)
def test_a_virtual_clock_is_moved(control, body, now):
    status, answer = asked(control, "POST", "clock/advance", body)
    assert (status, answer["now"]) == (200, now)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "must be a JSON object"),
        (b"30", "must be a JSON object"),
        (b"{", "must be a JSON object"),
        (b"\xff", "must be a JSON object"),
        (b"[" * 100_000, "must be a JSON object"),
        (b"{}", "Say by how much, in hours, minutes, seconds, milliseconds"),
        (b'{"days": 1}', "Say by how much"),
        (b'{"seconds": -1}', "The seconds must be a number, from 0 to the year 9999, not -1."),
        (b'{"seconds": "30"}', "The seconds must be a number"),
        (b'{"seconds": true}', "The seconds must be a number"),
        (b'{"seconds": null}', "The seconds must be a number"),
        (b'{"seconds": NaN}', "The seconds must be a number"),
        (b'{"seconds": Infinity}', "The seconds must be a number"),
        (b'{"hours": 1e300}', "The hours must be a number"),
        (b'{"hours": 60000000, "minutes": 3600000000}', "The hours must be a number"),
    ],
)
def test_a_clock_is_not_moved_by_what_makes_no_sense(control, aws, body, sentence):
    status, answer = asked(control, "POST", "clock/advance", body)
    assert status == 400
    assert sentence in answer["message"]
    assert aws.clock.now_ns() == 1_735_689_600_000_000_000


def test_a_clock_can_be_moved_to_the_last_year_of_dates_and_no_further(control):
    status, answer = asked(control, "POST", "clock/advance", b'{"hours": 69890000}')
    assert (status, answer["now"][:4]) == (200, "9998")

    assert asked(control, "POST", "clock/advance", b'{"hours": 30000}')[0] == 400


def test_the_machine_s_clock_is_not_moved():
    control = Control(Aws())
    assert asked(control, "GET", "clock")[1]["virtual"] is False

    status, answer = asked(control, "POST", "clock/advance", b'{"seconds": 1}')

    assert status == 409
    assert "Start it with --virtual-clock" in answer["message"]


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_what_a_web_page_could_send_unasked_is_no_json(control, content_type):
    status, answer = asked(control, "POST", "clock/advance", b'{"seconds": 1}', content_type)
    assert (status, answer["message"]) == (415, "Send JSON, and say so: Content-Type: application/json.")


def test_a_queue_can_be_looked_into(control, aws):
    queue = aws.broker().create_queue("orders.fifo", fifo_queue=True)
    queue.send(
        "grüße",
        message_group_id="a",
        message_deduplication_id="1",
        message_attributes={"kind": "new", "size": 3, "photo": b"\x00\xff"},
    )
    queue.send("second", message_group_id="a", message_deduplication_id="2")
    queue.receive(visibility_timeout=60)

    status, answer = asked(control, "GET", "queues/orders.fifo/messages?limit=1")

    assert status == 200
    assert answer["count"] == 2
    [message] = answer["messages"]
    assert message.pop("MessageId")
    assert message.pop("SequenceNumber")
    assert message == {
        "Body": "grüße",
        "State": "in_flight",
        "VisibleAt": "2025-01-01T00:01:00+00:00",
        "SentAt": "2025-01-01T00:00:00+00:00",
        "ReceiveCount": 1,
        "MessageAttributes": {
            "kind": {"DataType": "String", "StringValue": "new"},
            "size": {"DataType": "Number", "StringValue": "3"},
            "photo": {"DataType": "Binary", "BinaryValue": "AP8="},
        },
        "MessageGroupId": "a",
        "MessageDeduplicationId": "1",
    }


def test_a_queue_of_another_account_and_region_can_be_looked_into(control, aws):
    aws.broker("210987654321", "eu-west-1").create_queue("emails").send("hello")

    where = "queues/emails/messages?account=210987654321&region=eu-west-1"

    assert asked(control, "GET", where)[1]["count"] == 1
    assert asked(control, "GET", "queues/emails/messages")[0] == 404


@pytest.mark.parametrize(
    "where", ["queues/none/messages", "queues/%00/messages", "queues/e/messages?region=mars"]
)
def test_a_queue_that_does_not_exist_is_not_found_nor_made(control, aws, where):
    assert asked(control, "GET", where) == (404, {"message": "The specified queue does not exist."})
    assert len(aws.brokers()) == 1


@pytest.mark.parametrize(
    "parameters", ["limit=0", "limit=10001", "limit=x", "limit=-1", "limit=", "colour=red"]
)
def test_a_parameter_that_makes_no_sense_is_refused(control, aws, parameters):
    aws.broker().create_queue("emails")
    assert asked(control, "GET", f"queues/emails/messages?{parameters or 'limit='}")[0] in {200, 400}
    if parameters != "limit=":  # which says nothing
        assert asked(control, "GET", f"queues/emails/messages?{parameters}")[0] == 400


@pytest.mark.parametrize(
    ("method", "what"),
    [
        ("POST", "health"),
        ("GET", "reset"),
        ("POST", "clock"),
        ("GET", "clock/advance"),
        ("PUT", "queues/e/messages"),
    ],
)
def test_each_endpoint_has_one_method(control, method, what):
    assert asked(control, method, what)[0] == 405


@pytest.mark.parametrize(
    "what", ["", "nothing", "queues", "queues/emails", "queues/a/b/messages", "clock/reset"]
)
def test_there_is_nothing_else(control, what):
    assert asked(control, "GET", what)[0] == 404


# --- who may ---


def test_it_can_be_turned_off_but_for_health(aws):
    control = Control(aws, off_because="it was started so")
    assert asked(control, "GET", "health")[0] == 200
    assert asked(control, "POST", "reset") == (
        403,
        {"message": "The control endpoints are off: it was started so."},
    )


@pytest.mark.parametrize(
    ("settings", "is_on"),
    [
        ({}, True),
        ({"host": "localhost"}, True),
        ({"host": "127.8.8.8"}, True),
        ({"host": "::1"}, True),
        ({"control": False}, False),
        ({"host": "0.0.0.0"}, False),
        ({"host": "::"}, False),
        ({"host": ""}, False),
        ({"host": "192.168.1.10"}, False),
        ({"host": "example.org"}, False),
        ({"host": "0.0.0.0", "access_keys": {"AKID": "secret"}}, True),
        ({"host": "0.0.0.0", "access_keys": {"AKID": "secret"}, "control": False}, False),
    ],
    ids=str,
)
def test_it_is_off_where_anybody_could_use_it(settings, is_on):
    assert (Settings(**settings).control_is_off_because() is None) is is_on


def test_settings_do_not_show_secrets():
    assert "secret" not in repr(Settings(access_keys={"AKID": "secret"}))


def test_where_requests_must_be_signed_the_control_must_be_too():
    def signed(method, path, body, secret):
        request = AWSRequest(
            method, server.endpoint_url + path, data=body, headers={"Content-Type": "application/json"}
        )
        SigV4Auth(Credentials("AKID", secret), "queuestream", "us-east-1").add_auth(request)
        return ask(server, method, path, body, **dict(request.headers.items()))

    with serve(port=0, virtual_clock=True, access_keys={"AKID": SECRET}) as server:
        assert ask(server, "GET", "/_queuestream/health").status == 200
        assert ask(server, "POST", "/_queuestream/reset").status == 403
        assert ask(server, "POST", "/_queuestream/reset").json == {"message": "Missing Authentication Token"}
        assert signed("POST", "/_queuestream/clock/advance", b'{"hours": 1}', "guessed").status == 403
        assert signed("POST", "/_queuestream/clock/advance", b'{"hours": 1}', SECRET).status == 200


def test_where_requests_must_be_signed_everybody_else_is_refused():
    with serve(port=0, access_keys={"AKID": SECRET}, accounts={"AKID": "210987654321"}) as server:
        known = {"aws_access_key_id": "AKID", "aws_secret_access_key": SECRET}
        assert "/210987654321/" in client(server, "sqs", **known).create_queue(QueueName="emails")["QueueUrl"]
        client(server, "kinesis", **known).create_stream(StreamName="events", ShardCount=1)

        for who, code in [
            ({**known, "aws_secret_access_key": "guessed"}, "InvalidSignatureException"),
            (
                {"aws_access_key_id": "STRANGER", "aws_secret_access_key": SECRET},
                "UnrecognizedClientException",
            ),
        ]:
            kinesis = client(server, "kinesis", **who)
            with pytest.raises(kinesis.exceptions.ClientError) as refused:
                kinesis.delete_stream(StreamName="events")
            assert refused.value.response["Error"]["Code"] == code

        assert server.aws.broker("210987654321").streams.keys() == {"events"}
