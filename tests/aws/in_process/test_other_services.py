"""Other services: left alone, unless `mock_aws` is asked to refuse them."""

import boto3
import moto
import pytest

from queuestream.aws import mock_aws
from queuestream.aws.in_process.patches import ServiceRefused


@pytest.fixture(scope="module")
def s3(session):
    return session.client("s3")


def test_by_default_their_requests_go_where_they_always_go(s3, monkeypatch):
    went = []

    class Response:
        status_code, headers, content = 200, {}, b""

    def send(request):
        went.append(request.url)
        return Response()

    monkeypatch.setattr(s3._endpoint.http_session, "send", send)
    with mock_aws():
        s3.delete_object(Bucket="bucket", Key="key")
    assert went == ["https://bucket.s3.amazonaws.com/key"]


def test_they_can_be_refused(s3):
    with mock_aws(other_services="refuse"), pytest.raises(ServiceRefused, match="s3") as raised:
        s3.delete_object(Bucket="bucket", Key="key")
    assert raised.value.service == "s3"
    assert raised.value.url == "https://bucket.s3.amazonaws.com/key"


def test_without_credentials_they_are_refused_in_the_same_words():
    with mock_aws(other_services="refuse"), pytest.raises(ServiceRefused):
        boto3.client("dynamodb").list_tables()


def test_what_another_mock_answers_is_not_refused():
    with mock_aws(other_services="refuse"), moto.mock_aws():
        assert boto3.client("s3").list_buckets()["Buckets"] == []


def test_ours_are_answered_where_others_are_refused(sqs):
    with mock_aws(other_services="refuse"):
        assert "QueueUrls" not in sqs.list_queues()


def test_clients_of_others_are_as_before_after_leaving(session):
    s3 = session.client("s3")
    s3._request_signer._credentials = None
    with mock_aws(other_services="refuse"), pytest.raises(ServiceRefused):
        s3.list_buckets()
    assert s3._request_signer._credentials is None
