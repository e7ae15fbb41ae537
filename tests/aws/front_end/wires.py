"""Ways to ask a front end: raw requests of each protocol, and a real boto3 client without a socket."""

import json
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree as ET

import boto3
import cbor2
from botocore.awsrequest import AWSResponse

from queuestream.aws.calls import Later
from queuestream.aws.front_end.http import HttpRequest

HOST = "localhost:4566"
TARGETS = {"sqs": "AmazonSQS", "kinesis": "Kinesis_20131202"}
JSON_TYPES = {"sqs": "application/x-amz-json-1.0", "kinesis": "application/x-amz-json-1.1"}
FORM = "application/x-www-form-urlencoded; charset=utf-8"
CBOR = "application/x-amz-cbor-1.1"


class Wire:
    """Asks a front end, and waits for its answer."""

    def __init__(self, front_end):
        self.front_end = front_end

    def ask(self, method="POST", path="/", query="", body=b"", **headers):
        headers = {"host": HOST} | {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.front_end.respond(HttpRequest(method, path, query, headers, body))
        return response.now(self.front_end.aws.clock) if isinstance(response, Later) else response

    def json(self, service, operation, body, **headers):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"content_type": JSON_TYPES[service]} | headers
        return self.ask(body=body, x_amz_target=f"{TARGETS[service]}.{operation}", **headers)

    def sqs(self, operation, body, **headers):
        return self.json("sqs", operation, body, **headers)

    def kinesis(self, operation, body, **headers):
        return self.json("kinesis", operation, body, **headers)

    def cbor(self, operation, body, **headers):
        body = body if isinstance(body, bytes) else cbor2.dumps(body)
        headers = {"content_type": CBOR, "x_amz_target": f"{TARGETS['kinesis']}.{operation}"} | headers
        return self.ask(body=body, **headers)

    def get(self, path="/", **parameters):
        return self.ask("GET", path, urlencode(parameters))

    def form(self, path="/", **parameters):
        return self.ask("POST", path, body=urlencode(parameters).encode(), content_type=FORM)


def xml(response):
    """An XML answer as nested (name, text or children) pairs, without its namespace."""

    def plain(element):
        name = element.tag.rpartition("}")[2]
        return (name, [plain(child) for child in element]) if len(element) else (name, element.text or "")

    return plain(ET.fromstring(response.body))


def xml_error(response):
    """An XML error's parts by name."""
    name, parts = xml(response)
    assert name == "ErrorResponse"
    return dict(dict(parts)["Error"])


class _Raw:
    """What botocore takes for a connection's stream."""

    def __init__(self, body, clock):
        self._body = body
        self._clock = clock

    def stream(self, **_):
        body = self._body
        if isinstance(body, bytes):
            yield body
            return
        while not body.ended:
            piece = body.attempt()
            if piece is not None:
                yield piece
            elif not body.ended:
                self._clock.wait(body.wakeup, body.until_ns)

    def close(self):
        self._body.close()


def boto3_client(front_end, service, *, region="us-east-1", key_id="AKIDEXAMPLE", secret="secret", **kwargs):
    """A client whose requests, signed and all, are answered by a front end."""

    def answer(request, **_):
        url = urlsplit(request.url)
        headers = {
            name.lower(): value.decode() if isinstance(value, bytes) else value
            for name, value in request.headers.items()
        }
        body = request.body or b""
        response = front_end.respond(
            HttpRequest(
                request.method,
                url.path,
                url.query,
                {"host": url.netloc, **headers},
                body.encode() if isinstance(body, str) else body,
                url.scheme,
            )
        )
        if isinstance(response, Later):
            response = response.now(front_end.aws.clock)
        raw = _Raw(response.body, front_end.aws.clock)
        return AWSResponse(request.url, response.status, response.headers, raw)

    client = boto3.client(
        service, region_name=region, aws_access_key_id=key_id, aws_secret_access_key=secret, **kwargs
    )
    client.meta.events.register("before-send", answer)
    return client
