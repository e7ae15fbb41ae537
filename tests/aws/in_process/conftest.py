"""Clients as a user has them, and nothing to fall back on: no credentials, no region, no network."""

import socket

import boto3
import pytest

from queuestream import VirtualClock
from queuestream.aws import mock_aws

KEYS = {"aws_access_key_id": "someone", "aws_secret_access_key": "secret"}


@pytest.fixture(autouse=True)
def nothing_around(monkeypatch, tmp_path):
    """No credentials and no region anywhere, and whoever opens a connection fails."""

    def refuse(*args, **kwargs):
        raise AssertionError(f"somebody wants to go out: {args}")

    import os

    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(scope="session")
def session():
    """Where clients are made that are there before any mock; making one takes longer than most tests."""
    return boto3.Session(region_name="us-east-1", **KEYS)


@pytest.fixture(scope="session")
def sqs(session):
    return session.client("sqs")


@pytest.fixture(scope="session")
def kinesis(session):
    return session.client("kinesis")


@pytest.fixture
def aws():
    with mock_aws(clock=VirtualClock(), seed=7) as aws:
        yield aws


@pytest.fixture
def queue_url(aws, sqs):
    return sqs.create_queue(QueueName="emails")["QueueUrl"]
