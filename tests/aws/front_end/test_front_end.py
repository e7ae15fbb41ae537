"""The front end: who asks, where queue URLs point, what is packed, what waits, and what comes to nothing."""

import gzip
import json

import pytest
from wires import HOST, Wire, boto3_client, xml_error

from queuestream.aws.calls import Later
from queuestream.aws.fault_plans import AnswerLost, FaultPlan
from queuestream.aws.front_end import front_end as front_end_module
from queuestream.aws.front_end.front_end import FrontEnd
from queuestream.aws.front_end.http import HttpRequest
from queuestream.aws.front_end.signatures import Credentials


def authorization(key_id="AKIDEXAMPLE", region="us-east-1", service="sqs"):
    scope = f"{key_id}/20260101/{region}/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature={'0' * 64}"


# --- who asks ---


def test_nobody_has_to_sign(wire, aws):
    assert wire.sqs("CreateQueue", {"QueueName": "emails"}).status == 200
    assert aws.broker().queue("emails")


def test_the_access_key_names_the_account_and_the_scope_the_region(wire, aws):
    signed = authorization("999999999999", "eu-west-1")
    created = wire.sqs("CreateQueue", {"QueueName": "emails"}, authorization=signed)
    assert json.loads(created.body)["QueueUrl"] == f"http://{HOST}/999999999999/emails"
    assert aws.known_broker("999999999999", "eu-west-1").queue("emails")


def test_accounts_and_regions_do_not_see_each_other(front_end):
    here = boto3_client(front_end, "sqs", region="us-east-1")
    here.create_queue(QueueName="emails")
    assert "QueueUrls" not in boto3_client(front_end, "sqs", region="eu-west-1").list_queues()
    assert "QueueUrls" not in boto3_client(front_end, "sqs", key_id="999999999999").list_queues()
    assert len(here.list_queues()["QueueUrls"]) == 1


@pytest.mark.parametrize(
    "host",
    ["sqs.eu-west-1.localhost:4566", "eu-west-1.queue.localhost:4566", "kinesis.eu-west-1.example.com"],
)
def test_the_host_names_the_region_where_no_signature_does(wire, aws, host):
    wire.sqs("CreateQueue", {"QueueName": "emails"}, host=host)
    assert aws.known_broker("123456789012", "eu-west-1").queue("emails")


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1:4566", "queue.amazonaws.com", "sqs.example.com", "", "é"]
)
def test_a_host_without_a_region_means_the_default_one(wire, aws, host):
    wire.sqs("CreateQueue", {"QueueName": "emails"}, host=host)
    assert aws.broker().queue("emails")


def test_queue_urls_begin_with_what_was_asked(front_end):
    request = HttpRequest(
        "POST",
        "/",
        "",
        {"host": "sqs.example.com", "x-amz-target": "AmazonSQS.CreateQueue"},
        b'{"QueueName":"emails"}',
        "https",
    )
    url = "https://sqs.example.com/123456789012/emails"
    assert json.loads(front_end.respond(request).body) == {"QueueUrl": url}

    del request.headers["host"]
    url = "https://sqs.us-east-1.amazonaws.com/123456789012/emails"
    assert json.loads(front_end.respond(request).body) == {"QueueUrl": url}


def test_a_queue_url_of_any_host_names_the_queue(wire, queue):
    for host in (
        "http://localhost:1",
        "https://sqs.us-east-1.amazonaws.com",
        "https://us-east-1.queue.amazonaws.com",
    ):
        sent = wire.sqs("SendMessage", {"QueueUrl": f"{host}/123456789012/emails", "MessageBody": "hello"})
        assert sent.status == 200


def test_anybody_may_name_hosts_and_nothing_grows(wire, front_end):
    for number in range(300):
        wire.sqs("ListQueues", {}, host=f"host{number}")
    assert len(front_end._callers) <= 64


# --- signatures ---


@pytest.mark.parametrize("header", ["Bearer token", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=a", ""])
def test_a_signature_that_cannot_be_read_is_refused(wire, header):
    refused = wire.kinesis("ListStreams", {}, authorization=header)
    assert refused.status == 400
    assert json.loads(refused.body)["__type"] == "IncompleteSignatureException"

    refused = wire.sqs("ListQueues", {}, authorization=header)
    assert refused.status == 400
    assert refused.headers["x-amzn-query-error"] == "IncompleteSignature;Sender"


def test_a_region_that_cannot_be_one_is_refused(wire, aws):
    refused = wire.sqs("ListQueues", {}, authorization=authorization(region="EU_WEST"))
    assert refused.status == 400
    assert len(aws.brokers()) == 1


@pytest.fixture
def guarded(aws):
    secrets = {"AKIDEXAMPLE": "secret", "AKIDOTHER": "other"}
    return FrontEnd(aws, Credentials(secrets, {"AKIDOTHER": "999999999999"}))


def test_with_credentials_everybody_signs(guarded, aws):
    boto3_client(guarded, "sqs").create_queue(QueueName="emails")
    assert aws.broker().queue("emails")

    boto3_client(guarded, "kinesis", key_id="AKIDOTHER", secret="other").create_stream(StreamName="events")
    assert aws.known_broker("999999999999", "us-east-1").stream("events")


def test_without_a_signature_sqs_denies_access_and_kinesis_misses_a_token(guarded):
    wire = Wire(guarded)
    refused = wire.sqs("ListQueues", {})
    assert refused.status == 403
    assert refused.headers["x-amzn-query-error"] == "AccessDenied;Sender"
    assert json.loads(refused.body) == {
        "__type": "com.amazon.coral.service#AccessDeniedException",
        "message": f"Access to the resource http://{HOST}/ is denied.",
    }

    refused = wire.get("/123456789012/emails", Action="ReceiveMessage")
    assert refused.status == 403
    assert xml_error(refused)["Code"] == "AccessDenied"

    refused = wire.kinesis("ListStreams", {})
    assert refused.status == 400
    assert json.loads(refused.body) == {
        "__type": "MissingAuthenticationTokenException",
        "message": "Missing Authentication Token",
    }


@pytest.mark.parametrize(
    ("key_id", "code", "shape"),
    [
        ("AKIDNOBODY", "InvalidClientTokenId", "UnrecognizedClientException"),
        ("AKIDEXAMPLE", "SignatureDoesNotMatch", "InvalidSignatureException"),
    ],
)
def test_a_wrong_signature_is_refused(guarded, key_id, code, shape):
    sqs = boto3_client(guarded, "sqs", key_id=key_id, secret="wrong")
    with pytest.raises(sqs.exceptions.ClientError) as refused:
        sqs.list_queues()
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response["Error"]["QueryErrorCode"] == shape
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403

    kinesis = boto3_client(guarded, "kinesis", key_id=key_id, secret="wrong")
    with pytest.raises(kinesis.exceptions.ClientError) as refused:
        kinesis.list_streams()
    assert refused.value.response["Error"]["Code"] == shape
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_a_signature_is_looked_at_before_the_body(guarded):
    refused = Wire(guarded).sqs("ListQueues", b"{")
    assert refused.status == 403


# --- what is asked of nobody ---


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "BREW"])
def test_other_methods_ask_for_nothing(wire, method):
    refused = wire.ask(
        method, "/123456789012/emails", "Action=DeleteQueue", x_amz_target="AmazonSQS.ListQueues"
    )
    assert refused.status == 403
    assert b"Unable to determine service/operation name to be authorized" in refused.body


def test_kinesis_is_asked_by_target_only(wire):
    refused = wire.ask("GET", authorization=authorization(service="kinesis"))
    assert refused.status == 403
    assert refused.body.startswith(b"<AccessDeniedException>\n")


# --- packed bodies ---


def test_a_body_may_be_packed(wire, queue, queue_url):
    body = json.dumps({"QueueUrl": queue_url, "MessageBody": "hello"}).encode()
    assert wire.sqs("SendMessage", gzip.compress(body), content_encoding="gzip").status == 200
    assert queue.receive()[0].body == "hello"


def test_a_form_may_be_packed(wire, queue):
    form = gzip.compress(b"Action=SendMessage&MessageBody=hello")
    assert wire.ask("POST", "/123456789012/emails", body=form, content_encoding="GZIP").status == 200


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", b"{}"),
        ("gzip", gzip.compress(b"{}")[:-3]),
        ("br", b"{}"),
        ("gzip, gzip", gzip.compress(b"{}")),
    ],
)
def test_what_is_not_packed_as_it_says_is_refused(wire, encoding, body):
    refused = wire.sqs("ListQueues", body, content_encoding=encoding)
    assert refused.status == 400
    assert refused.headers["x-amzn-query-error"] == "MalformedInput;Sender"


def test_what_is_too_large_unpacked_is_refused(wire, monkeypatch):
    monkeypatch.setattr(front_end_module, "UNPACKED_BYTES_MAX", 1_000)
    assert wire.sqs("ListQueues", gzip.compress(b"{}" + b" " * 998), content_encoding="gzip").status == 200
    refused = wire.sqs("ListQueues", gzip.compress(b"{}" + b" " * 999), content_encoding="gzip")
    assert refused.status == 413
    assert wire.sqs("ListQueues", gzip.compress(b" " * 10**7), content_encoding="gzip").status == 413


# --- answers that wait ---


def receive(front_end, queue_url, seconds):
    body = json.dumps({"QueueUrl": queue_url, "WaitTimeSeconds": seconds}).encode()
    return front_end.respond(HttpRequest("POST", "/", "", {"x-amz-target": "AmazonSQS.ReceiveMessage"}, body))


def test_a_long_poll_is_an_answer_for_later(front_end, queue, queue_url, clock):
    later = receive(front_end, queue_url, 20)
    assert isinstance(later, Later)
    assert later.poll.attempt() is None
    assert later.poll.deadline_ns == clock.now_ns() + 20 * 10**9

    queue.send("hello")
    assert later.poll.wakeup.is_set
    answer = later.now(clock)
    assert answer.status == 200
    assert json.loads(answer.body)["Messages"][0]["Body"] == "hello"


def test_a_long_poll_answers_when_its_time_is_up(front_end, queue, queue_url, clock):
    later = receive(front_end, queue_url, 20)
    began_ns = clock.now_ns()
    assert later.now(clock).body == b"{}"
    assert clock.now_ns() - began_ns == 20 * 10**9


def test_a_long_poll_can_be_told_that_its_time_is_up(front_end, queue, queue_url, clock):
    later = receive(front_end, queue_url, 20)
    later.poll.attempt()
    later.poll.expire()
    assert later.answer(later.poll.attempt()).body == b"{}"


def test_a_long_poll_in_the_query_protocol_answers_in_xml(wire, queue):
    answer = wire.get("/123456789012/emails", Action="ReceiveMessage", WaitTimeSeconds="5")
    assert b"<ReceiveMessageResult/>" in answer.body


def test_a_queue_that_is_deleted_meanwhile_is_an_error_in_the_answer(front_end, queue, queue_url, clock):
    later = receive(front_end, queue_url, 20)
    later.poll.attempt()
    queue.delete_queue()
    answer = later.now(clock)
    assert answer.status == 400
    assert json.loads(answer.body)["__type"] == "com.amazonaws.sqs#QueueDoesNotExist"


def test_a_reset_meanwhile_makes_the_service_unavailable(front_end, aws, queue, queue_url, clock):
    later = receive(front_end, queue_url, 20)
    later.poll.attempt()
    aws.reset()
    answer = later.now(clock)
    assert answer.status == 503
    assert answer.headers["x-amzn-query-error"] == "ServiceUnavailable;Receiver"


def test_a_broker_that_its_owner_closed_is_unavailable(wire, aws, queue, queue_url):
    aws.broker().close("it was time")
    refused = wire.sqs("SendMessage", {"QueueUrl": queue_url, "MessageBody": "hello"})
    assert refused.status == 503
    assert "it was time" in json.loads(refused.body)["message"]


# --- fault plans ---


def test_a_fault_plan_refuses_in_the_words_of_the_protocol(aws, queue, queue_url):
    faults = FaultPlan(seed=1)
    faults.fail("SendMessage", code="OverLimit", message="Too much.", status=403)
    wire = Wire(FrontEnd(aws, faults=faults))
    refused = wire.sqs("SendMessage", {"QueueUrl": queue_url, "MessageBody": "hello"})
    assert refused.status == 403
    assert refused.headers["x-amzn-query-error"] == "OverLimit;Sender"
    assert (
        xml_error(wire.get("/123456789012/emails", Action="SendMessage", MessageBody="hello"))["Code"]
        == "OverLimit"
    )


def test_a_fault_plan_slows_down_on_the_clock(aws, queue, queue_url, clock):
    faults = FaultPlan(seed=1)
    faults.slow_down("SendMessage", seconds=3)
    began_ns = clock.now_ns()
    sent = Wire(FrontEnd(aws, faults=faults)).sqs(
        "SendMessage", {"QueueUrl": queue_url, "MessageBody": "hello"}
    )
    assert sent.status == 200
    assert clock.now_ns() - began_ns == 3 * 10**9


def test_an_operation_that_a_fault_plan_slowed_down_may_be_refused(aws, queue, queue_url):
    faults = FaultPlan(seed=1)
    faults.slow_down("SendMessage", seconds=3)
    refused = Wire(FrontEnd(aws, faults=faults)).sqs(
        "SendMessage", {"QueueUrl": queue_url, "MessageBody": ""}
    )
    assert refused.status == 400


def test_a_slow_long_poll_waits_twice(aws, queue, queue_url, clock):
    faults = FaultPlan(seed=1)
    faults.slow_down("ReceiveMessage", seconds=3)
    began_ns = clock.now_ns()
    wire = Wire(FrontEnd(aws, faults=faults))
    assert wire.sqs("ReceiveMessage", {"QueueUrl": queue_url, "WaitTimeSeconds": 5}).body == b"{}"
    assert clock.now_ns() - began_ns == 8 * 10**9


def test_a_lost_answer_is_the_carriers_affair(aws, queue, queue_url):
    faults = FaultPlan(seed=1)
    faults.lose_answer("SendMessage")
    with pytest.raises(AnswerLost):
        Wire(FrontEnd(aws, faults=faults)).sqs("SendMessage", {"QueueUrl": queue_url, "MessageBody": "hello"})
    assert queue.receive()[0].body == "hello"
