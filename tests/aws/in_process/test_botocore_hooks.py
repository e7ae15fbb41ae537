"""What users hook into botocore, and what else has a handler there: each sees what it always sees."""

import functools
import logging

import pytest
from botocore.client import BaseClient
from botocore.config import Config
from botocore.history import BaseHistoryHandler, get_global_history_recorder
from botocore.stub import Stubber

from queuestream import VirtualClock
from queuestream.aws import FaultPlan, mock_aws
from queuestream.aws.in_process.carrier import Carrier


@pytest.fixture
def client(aws, session):
    """A client of one's own, to register handlers on."""
    return session.client("sqs")


@pytest.fixture
def sent(monkeypatch):
    """What has gone through botocore, down to the request."""
    requests = []
    send = Carrier.send

    def remember(carrier, request):
        requests.append(request.headers["X-Amz-Target"].decode().partition(".")[2])
        return send(carrier, request)

    monkeypatch.setattr(Carrier, "send", remember)
    return requests


def test_a_call_that_nobody_looks_at_is_answered_at_once(client, sent):
    client.list_queues()
    assert sent == []


@pytest.mark.parametrize("event", ["provide-client-params", "before-parameter-build"])
def test_handlers_that_see_the_parameters(client, sent, event):
    seen = []

    def handler(params, model, context, event_name, **kwargs):
        seen.append((event_name, model.name, dict(params), context["client_region"]))

    client.meta.events.register(f"{event}.sqs.CreateQueue", handler)
    client.create_queue(QueueName="emails")
    client.list_queues()
    assert seen == [(f"{event}.sqs.CreateQueue", "CreateQueue", {"QueueName": "emails"}, "us-east-1")]
    assert sent == []


def test_handlers_may_give_other_parameters(aws, client):
    client.meta.events.register(
        "provide-client-params.sqs.CreateQueue", lambda params, **kwargs: {"QueueName": "other"}
    )
    client.create_queue(QueueName="emails")
    assert list(aws.broker().queues) == ["other"]


def test_handlers_may_change_the_parameters(aws, client):
    client.meta.events.register(
        "before-parameter-build.sqs.CreateQueue", lambda params, **kwargs: params.update(QueueName="other")
    )
    client.create_queue(QueueName="emails")
    assert list(aws.broker().queues) == ["other"]


def test_handlers_see_the_parameters_of_a_call_once(client):
    """Also where it is refused, or has to go through botocore for another reason."""
    seen = []
    client.meta.events.register("provide-client-params.sqs", lambda params, **kwargs: seen.append(params))
    with pytest.raises(client.exceptions.QueueDoesNotExist):
        client.get_queue_url(QueueName="nobody")
    with pytest.raises(Exception, match="Unknown parameter"):
        client.get_queue_url(QueueName="nobody", Colour="red")
    assert len(seen) == 2


def test_no_trace_is_left_on_a_client_whose_parameters_were_seen(session):
    client = session.client("sqs")
    before = dict(vars(client))
    with mock_aws():
        client.meta.events.register("provide-client-params.sqs", lambda **kwargs: None)
        client.list_queues()
    assert dict(vars(client)) == before


@pytest.mark.parametrize(
    ("event", "times"),
    [
        ("before-call", 1),
        ("request-created", 1),
        ("choose-signer", 1),
        ("before-sign", 1),
        ("before-send", 1),
        ("before-parse", 1),
        ("response-received", 1),
        ("needs-retry", 1),
        ("after-call", 1),
        ("after-call-error", 0),
    ],
)
def test_handlers_of_the_http_stage(client, sent, event, times):
    seen = []
    client.meta.events.register(f"{event}.sqs.ListQueues", lambda **kwargs: seen.append(kwargs["event_name"]))
    client.list_queues()
    assert seen == [f"{event}.sqs.ListQueues"] * times
    assert sent == ["ListQueues"]


def test_only_the_operation_that_is_looked_at_goes_through_botocore(client, sent):
    client.meta.events.register("before-send.sqs.ListQueues", lambda **kwargs: None)
    client.create_queue(QueueName="emails")
    client.list_queues()
    assert sent == ["ListQueues"]


def test_a_handler_that_comes_and_goes(client, sent):
    def handler(**kwargs):
        """Nothing."""

    client.list_queues()
    client.meta.events.register("before-send.sqs", handler)
    client.list_queues()
    client.meta.events.unregister("before-send.sqs", handler)
    client.list_queues()
    assert sent == ["ListQueues"]


def test_before_call_sees_the_request_and_may_answer_it(client):
    def answer(params, **kwargs):
        assert params["headers"]["X-Amz-Target"] == "AmazonSQS.ListQueues"

        class Response:
            status_code = 200

        return Response(), {"QueueUrls": ["mine"]}

    client.meta.events.register("before-call.sqs.ListQueues", answer)
    assert client.list_queues() == {"QueueUrls": ["mine"]}


def test_before_send_sees_a_signed_request(client):
    seen = []
    client.meta.events.register("before-send.sqs", lambda request, **kwargs: seen.append(request))
    client.list_queues()
    [request] = seen
    assert request.url == "https://sqs.us-east-1.amazonaws.com/"
    assert request.headers["Authorization"].startswith(b"AWS4-HMAC-SHA256 Credential=someone/")


def test_after_call_sees_what_was_answered(client, queue_url):
    seen = []

    def handler(http_response, parsed, **kwargs):
        seen.append((http_response.status_code, http_response.headers["Content-Length"], parsed["QueueUrls"]))

    client.meta.events.register("after-call.sqs.ListQueues", handler)
    client.list_queues()
    assert seen == [(200, str(len(f'{{"QueueUrls":["{queue_url}"]}}')), [queue_url])]


def test_a_stubber_stubs(client):
    with Stubber(client) as stubber:
        stubber.add_response("list_queues", {"QueueUrls": ["mine"]}, {"QueueNamePrefix": "m"})
        assert client.list_queues(QueueNamePrefix="m") == {"QueueUrls": ["mine"]}
    assert "QueueUrls" not in client.list_queues()


def test_who_has_put_something_in_botocores_place_is_called(session, monkeypatch, sent):
    """As tracing does, and many tests."""
    seen = []
    original = BaseClient._make_api_call

    def trace(self, operation_name, api_params):
        seen.append(operation_name)
        return original(self, operation_name, api_params)

    client = session.client("sqs")
    with monkeypatch.context() as patched:
        patched.setattr(BaseClient, "_make_api_call", trace)
        with mock_aws():
            client.list_queues()
    assert BaseClient._make_api_call is original
    assert seen == ["ListQueues"]
    assert sent == ["ListQueues"]


def test_who_puts_something_in_botocores_place_inside_is_called(client, monkeypatch):
    seen = []
    original = BaseClient._make_api_call

    def trace(self, operation_name, api_params):
        seen.append(operation_name)
        return original(self, operation_name, api_params)

    with monkeypatch.context() as patched:
        patched.setattr(BaseClient, "_make_api_call", trace)
        client.list_queues()
    client.list_queues()
    assert seen == ["ListQueues"]


def test_who_has_wrapped_what_he_found_inside_stays(session, sent):
    """As tracing does that is switched on in the middle of a test."""
    seen = []
    original = BaseClient._make_api_call
    client = session.client("sqs")
    with mock_aws():
        found = BaseClient._make_api_call

        @functools.wraps(found)
        def trace(self, operation_name, api_params):
            seen.append(operation_name)
            return found(self, operation_name, api_params)

        BaseClient._make_api_call = trace
    try:
        with mock_aws():
            client.list_queues()
        assert BaseClient._make_api_call is trace
    finally:
        BaseClient._make_api_call = original
    assert seen == ["ListQueues"]
    assert sent == ["ListQueues"]


def test_who_keeps_a_history_gets_all_of_it(client):
    class Keep(BaseHistoryHandler):
        def emit(self, event_type, payload, source):
            seen.append(event_type)

    seen = []
    recorder = get_global_history_recorder()
    recorder.add_handler(Keep())
    recorder.enable()
    try:
        client.list_queues()
    finally:
        recorder.disable()
        recorder._handlers.clear()
    assert seen == ["API_CALL", "HTTP_REQUEST", "HTTP_RESPONSE", "PARSED_RESPONSE"]


def test_a_fault_plan_that_may_strike_takes_calls_through_botocore(session, sent):
    faults = FaultPlan()
    faults.throttle("ListQueues", times=1)
    client = session.client("sqs")
    with mock_aws(clock=VirtualClock(), faults=faults) as aws:
        answer = client.list_queues()
        assert answer["ResponseMetadata"]["RetryAttempts"] == 1
        client.list_queues()
    assert sent == ["ListQueues", "ListQueues"]
    assert aws.clock.now_ns() > VirtualClock().now_ns()


@pytest.mark.parametrize("effect", ["lose_answer", "time_out"])
def test_an_answer_that_is_lost_is_asked_for_again(session, effect):
    faults = FaultPlan()
    getattr(faults, effect)("SendMessage", times=1)
    client = session.client("sqs")
    with mock_aws(clock=VirtualClock(), faults=faults) as aws:
        queue_url = client.create_queue(QueueName="emails")["QueueUrl"]
        assert (
            client.send_message(QueueUrl=queue_url, MessageBody="x")["ResponseMetadata"]["RetryAttempts"] == 1
        )
        assert len(aws.broker().queue("emails").peek()) == 2


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_every_mode_of_retries_waits_on_the_clock(session, mode, monkeypatch):
    monkeypatch.setattr("threading.Condition.wait", lambda *args: 1 / 0)
    faults = FaultPlan()
    faults.throttle("ListQueues", times=2)
    client = session.client("sqs", config=Config(retries={"mode": mode}))
    with mock_aws(clock=VirtualClock(), faults=faults):
        for _ in range(20):
            answer = client.list_queues()
        assert faults.injected[-1].call == 2
        assert answer["ResponseMetadata"]["RetryAttempts"] == 0


def test_successes_fill_the_quota_of_retries_again(session):
    faults = FaultPlan()
    faults.throttle("ListQueues", times=2)
    client = session.client("sqs", config=Config(retries={"mode": "standard", "total_max_attempts": 2}))
    [quota] = [
        handler.__self__._quota
        for handler in client.meta.events._emitter._handlers.prefix_search("after-call.sqs.ListQueues")
        if handler.__name__ == "release_retry_quota"
    ]
    with mock_aws(clock=VirtualClock(), faults=faults):
        with pytest.raises(client.exceptions.ClientError):
            client.list_queues()
        used = quota.available_capacity
        client.list_queues()
        assert quota.available_capacity == used + 1


def test_logging_everything_changes_nothing(client, queue_url, caplog):
    caplog.set_level(logging.DEBUG, "botocore")
    client.send_message(QueueUrl=queue_url, MessageBody="hello")
    assert client.receive_message(QueueUrl=queue_url)["Messages"][0]["Body"] == "hello"


def test_what_botocore_adds_in_a_lambda_function_arrives(client, queue_url, monkeypatch):
    """The page "Using X-Ray with Amazon SQS": the header becomes the attribute AWSTraceHeader."""
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    client.send_message(QueueUrl=queue_url, MessageBody="before")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "worker")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", trace)
    client.send_message(QueueUrl=queue_url, MessageBody="traced")
    received = client.receive_message(
        QueueUrl=queue_url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["AWSTraceHeader"]
    )
    assert [message.get("Attributes") for message in received["Messages"]] == [
        None,
        {"AWSTraceHeader": trace},
    ]


def test_a_handler_may_write_the_body_as_text(client):
    def handler(params, **kwargs):
        params["body"] = '{"QueueName": "orders"}'

    client.meta.events.register("before-call.sqs.CreateQueue", handler)
    assert client.create_queue(QueueName="emails")["QueueUrl"].endswith("/orders")
