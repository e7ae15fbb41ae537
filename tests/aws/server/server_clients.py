"""Clients of a server: boto3, plain HTTP, a bare socket; and ways to wait for one another."""

import contextlib
import http.client
import json
import socket
import threading
import time

import boto3
from botocore.config import Config


def client(server, service, **more):
    """A boto3 client of a server, which retries nothing."""
    options = {
        "endpoint_url": server.endpoint_url,
        "region_name": "us-east-1",
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
    }
    config = Config(retries={"total_max_attempts": 1}, read_timeout=30)
    return boto3.client(service, **{**options, "config": config, **more})


class Answer:
    """What came back."""

    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)


def ask(server, method, path, body=None, **headers):
    """One request of plain HTTP; a dict is sent as JSON."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if isinstance(body, dict):
        body = json.dumps(body)
        named.setdefault("Content-Type", "application/json")
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as connection:
        connection.request(method, path, body, named)
        return Answer(connection.getresponse())


@contextlib.contextmanager
def connected(server):
    """A bare socket."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        yield connection


def read_all(connection):
    """What comes until the other side closes."""
    pieces = []
    while piece := connection.recv(65_536):
        pieces.append(piece)
    return b"".join(pieces)


def until(condition):
    """Return as soon as something is so that another thread brings about; fail where it doesn't."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "it never came about"
        threading.Event().wait(0.001)


@contextlib.contextmanager
def meanwhile(work, *arguments, **options):
    """Do something in another thread; gives a function that waits for what comes out of it."""
    outcome = []

    def run():
        try:
            outcome.append((work(*arguments, **options), None))
        except BaseException as error:  # noqa: BLE001 - it is raised where it is asked for
            outcome.append((None, error))

    thread = threading.Thread(target=run)

    def result():
        thread.join(20)
        assert outcome, "it is not done yet"
        value, error = outcome[0]
        if error is not None:
            raise error
        return value

    thread.start()
    try:
        yield result
    finally:
        thread.join(20)
