"""`queuestream serve`, as somebody meets it who types it."""

import contextlib
import http.client
import json
import re
import signal
import socket
import subprocess
import sys

import boto3
import pytest

from queuestream import connect
from queuestream.cli import serve
from queuestream.cli.main import main

READY = re.compile(r"queuestream serves SQS and Kinesis on (http://127\.0\.0\.1:(\d+))\n")


@contextlib.contextmanager
def serving(*arguments):
    """The process, its endpoint URL and its port."""
    command = [sys.executable, "-m", "queuestream", "serve", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            endpoint, port = READY.fullmatch(process.stdout.readline()).groups()
            yield process, endpoint, int(port)
        finally:
            process.kill()


def sqs_at(endpoint):
    return boto3.client(
        "sqs",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


@pytest.mark.parametrize(
    "stop",
    [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)],
    ids=lambda number: number.name,
)
def test_it_says_where_it_is_serves_and_ends_when_told_to(stop):
    with serving() as (process, endpoint, _):
        url = sqs_at(endpoint).create_queue(QueueName="emails")["QueueUrl"]
        assert url == f"{endpoint}/123456789012/emails"

        process.send_signal(stop)
        printed, complaints = process.communicate(timeout=10)

    assert (process.returncode, printed, complaints) == (0, "", "")


def test_when_it_ends_open_long_polls_are_answered():
    with serving() as (process, endpoint, port), socket.create_connection(("127.0.0.1", port)) as poll:
        url = sqs_at(endpoint).create_queue(QueueName="emails")["QueueUrl"]
        body = json.dumps({"QueueUrl": url, "WaitTimeSeconds": 20}).encode()
        poll.sendall(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: %d\r\n"
            b"X-Amz-Target: AmazonSQS.ReceiveMessage\r\nContent-Type: application/x-amz-json-1.0\r\n\r\n"
            % len(body)
        )
        assert poll.recv(1_000).startswith(b"HTTP/1.1 100 ")  # it has the request, and wants its body
        poll.sendall(body)
        sqs_at(endpoint).list_queues()
        process.send_signal(signal.SIGTERM)

        answer = b""
        while piece := poll.recv(65_536):
            answer += piece
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert process.wait(10) == 0


def test_what_is_asked_for_holds(tmp_path):
    keys = tmp_path / "keys.txt"
    keys.write_text("# whose is it\nAKID:secret/+=\n\nOTHER:shh:210987654321\n")
    arguments = ("--virtual-clock", "--access-keys", str(keys), "--log-level", "info", "--seed", "7")
    arguments += ("--delivery", "adversarial")
    with serving(*arguments) as (process, endpoint, port):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
            connection.request("POST", "/_queuestream/clock/advance", "{}")
            assert connection.getresponse().status == 403
        sqs = boto3.client(
            "sqs",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="OTHER",
            aws_secret_access_key="shh",
        )
        url = sqs.create_queue(QueueName="emails")["QueueUrl"]
        assert url.endswith("/210987654321/emails")
        sqs.send_message(QueueUrl=url, MessageBody="hello")
        polls = [sqs.receive_message(QueueUrl=url, VisibilityTimeout=0) for _ in range(8)]
        assert ["Messages" in poll for poll in polls].count(True) == 1
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=10)

    assert "POST / AmazonSQS.CreateQueue: 200" in said
    assert "secret" not in said


@pytest.mark.slow
def test_tests_that_make_and_purge_the_same_queue_each_time_need_not_wait_the_minute_of_aws():
    with serving("--delete-interval", "0", "--purge-interval", "0") as (_, endpoint, _):
        sqs = sqs_at(endpoint)
        for _ in range(2):
            url = sqs.create_queue(QueueName="emails")["QueueUrl"]
            sqs.purge_queue(QueueUrl=url)
            sqs.purge_queue(QueueUrl=url)
            sqs.delete_queue(QueueUrl=url)


@pytest.mark.slow
def test_what_was_answered_is_there_when_a_killed_server_starts_again(tmp_path):
    data = str(tmp_path / "orders.db")
    with serving("--data", data) as (process, endpoint, _):
        url = sqs_at(endpoint).create_queue(QueueName="emails")["QueueUrl"]
        sqs_at(endpoint).send_message(QueueUrl=url, MessageBody="hello")
        process.kill()
        process.wait(10)

    with serving("--data", data, "--durability", "none") as (process, endpoint, _):
        url = sqs_at(endpoint).get_queue_url(QueueName="emails")["QueueUrl"]
        [message] = sqs_at(endpoint).receive_message(QueueUrl=url)["Messages"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0

    assert message["Body"] == "hello"
    assert [file.name for file in tmp_path.iterdir()] == ["orders.db"]


def test_a_file_that_cannot_be_had_is_said_and_what_to_do(capsys, tmp_path):
    assert main(["serve", "--port", "0", "--data", str(tmp_path / "no" / "orders.db")]) == 2
    assert "make it first" in capsys.readouterr().err.lower()
    with connect(f"sqlite:///{tmp_path}/orders.db", durability="none"):
        assert main(["serve", "--port", "0", "--data", str(tmp_path / "orders.db")]) == 2
    assert "is in use by another broker of this process" in capsys.readouterr().err
    assert main(["serve", "--durability", "none"]) == 2
    assert "there is no --data" in capsys.readouterr().err


def test_a_port_that_is_taken_is_named_with_a_way_out(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 2

    printed, complaints = capsys.readouterr()
    assert printed == ""
    assert complaints.startswith(f"queuestream serve: Something is listening on 127.0.0.1:{port} already.")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "65536"],
        ["--port", "-1"],
        ["--port", "x"],
        ["--account-id", "1"],
        ["--shard-limit", "0"],
        ["--provisioning-time", "-1"],
        ["--provisioning-time", "nan"],
        ["--delete-interval", "-1"],
        ["--purge-interval", "0.5"],
        ["--access-key", "AKID"],
        ["--access-key", "AKID:"],
        ["--access-key", ":secret"],
        ["--access-key", "AKID:secret:1"],
        ["--access-keys", "/no/such/file"],
        ["--max-body", "0"],
        ["--max-connections", "many"],
        ["--log-level", "loud"],
        ["--durability", "sometimes"],
        ["--delivery", "kind"],
    ],
    ids=" ".join,
)
def test_a_command_line_that_makes_no_sense_is_refused(capsys, arguments):
    with pytest.raises(SystemExit) as stopped:
        main(["serve", *arguments])

    assert stopped.value.code == 2
    complaints = capsys.readouterr().err
    assert f"argument {arguments[0]}: " in complaints
    assert "secret" not in complaints.partition("error:")[2]


def test_a_file_of_keys_that_makes_no_sense_is_refused_by_its_line(capsys, tmp_path):
    keys = tmp_path / "keys.txt"
    keys.write_text("AKID:secret\nhalf a key\n")
    with pytest.raises(SystemExit):
        main(["serve", "--access-keys", str(keys)])
    assert f"{keys}, line 2: an access key is ID:SECRET" in capsys.readouterr().err

    keys.write_text("# none\n")
    with pytest.raises(SystemExit):
        main(["serve", "--access-keys", str(keys)])
    assert f"there is no access key in {keys}" in capsys.readouterr().err


def test_without_its_extra_it_says_what_to_install(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "queuestream.aws.server", None)

    assert main(["serve"]) == 2
    assert "pip install 'queuestream[server]'" in capsys.readouterr().err


def test_its_help_teaches(capsys):
    with pytest.raises(SystemExit):
        main(["serve", "--help"])

    printed = capsys.readouterr().out
    assert "export AWS_ENDPOINT_URL=http://127.0.0.1:4566" in printed
    assert "POST /_queuestream/clock/advance" in printed
    assert serve.SUMMARY
