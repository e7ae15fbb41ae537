"""A server whose queues and streams a file keeps."""

import http.client
import json

import boto3
import pytest
from botocore.exceptions import ClientError

from queuestream import connect
from queuestream.aws.server import CannotListen, serve
from queuestream.core.errors import BrokerClosed, NotSupportedByEngine, StorageError, StorageInUse


def client_of(server, service="sqs", region="us-east-1", access_key_id="test"):
    return boto3.client(
        service,
        endpoint_url=server.endpoint_url,
        region_name=region,
        aws_access_key_id=access_key_id,
        aws_secret_access_key="test",
    )


def ask(server, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    headers = {"Content-Type": "application/json"}
    connection.request(method, f"/_queuestream/{path}", body and json.dumps(body), headers)
    response = connection.getresponse()
    found = response.status, json.loads(response.read())
    connection.close()
    return found


@pytest.fixture(scope="module")
def path(lasting_folder):
    """A file that a program has made, of an account and a region of its own."""
    path = lasting_folder / "orders.db"
    with connect(f"sqlite:///{path}", account_id="111122223333", region="eu-west-1") as broker:
        broker.create_queue("emails").send("from the program")
    return path


@pytest.fixture(scope="module")
def server(path):
    with serve(port=0, data=path) as server:
        yield server


def test_it_serves_what_a_program_has_put_into_the_file(server):
    sqs = client_of(server, region="eu-west-1")
    url = sqs.get_queue_url(QueueName="emails")["QueueUrl"]
    assert url.endswith("/111122223333/emails")
    [message] = sqs.receive_message(QueueUrl=url)["Messages"]
    assert message["Body"] == "from the program"


@pytest.mark.parametrize(
    ("service", "region", "access_key_id"),
    [("sqs", "us-east-1", "test"), ("kinesis", "us-east-1", "test"), ("sqs", "eu-west-1", "999999999999")],
)
def test_clients_of_another_account_or_region_are_refused(server, service, region, access_key_id):
    client = client_of(server, service, region, access_key_id)
    with pytest.raises(
        ClientError, match=r"orders\.db keeps the account 111122223333 in the region eu-west-1"
    ):
        client.list_queues() if service == "sqs" else client.list_streams()
    assert len(server.aws.brokers()) == 1


def test_a_queue_url_of_another_account_names_no_queue(server):
    sqs = client_of(server, region="eu-west-1")
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.purge_queue(QueueUrl=f"{server.endpoint_url}/999999999999/emails")


def test_it_says_that_a_file_keeps_it_and_forgets_nothing_at_a_stroke(server):
    assert ask(server, "GET", "health")[1] | {"version": ""} == {
        "status": "running",
        "version": "",
        "data": "orders.db",
        "durability": "commit",
    }
    status, answer = ask(server, "POST", "reset")
    assert status == 409
    assert "This server keeps everything in orders.db" in answer["message"]
    with pytest.raises(NotSupportedByEngine):
        server.reset()
    assert ask(server, "GET", "queues/emails/messages")[1]["count"] == 1


def test_a_file_has_one_owner(server, path):
    with pytest.raises(StorageInUse, match="another broker of this process"):
        serve(port=0, data=path)
    with pytest.raises(StorageInUse):
        connect(f"sqlite:///{path}")


def test_a_file_s_account_and_region_are_what_it_was_made_with(fast_folder):
    path = fast_folder / "new.db"
    with serve(port=0, data=path, durability="none") as server:
        assert (server.aws.account_id, server.aws.region) == ("123456789012", "us-east-1")
        assert repr(server.aws) == f"<KeptBroker: 123456789012 in us-east-1, kept in {path}>"
    assert [file.name for file in fast_folder.iterdir()] == ["new.db"]
    with pytest.raises(StorageError, match="belongs to the region us-east-1"):
        serve(port=0, data=path, region="eu-west-1")
    with pytest.raises(BrokerClosed):
        server.start()


def test_on_a_virtual_clock_a_file_s_time_goes_on_where_it_ended(fast_folder):
    path = fast_folder / "orders.db"
    with serve(port=0, data=path, durability="none", virtual_clock=True) as server:
        began_ns = server.aws.clock.now_ns()
        server.aws.broker().create_queue("emails").send("hello")
        assert ask(server, "POST", "clock/advance", {"hours": 12})[0] == 200
    with serve(port=0, data=path, durability="none", virtual_clock=True) as server:
        assert server.aws.clock.now_ns() - began_ns == 12 * 3_600 * 10**9
        assert server.aws.broker().queue("emails").approximate_number_of_messages == 1


def test_a_server_that_cannot_listen_lets_its_file_go(server, fast_folder):
    path = fast_folder / "orders.db"
    with pytest.raises(CannotListen):
        serve(port=server.port, data=path, durability="none").start()
    connect(f"sqlite:///{path}", durability="none").close()


def test_a_file_goes_with_no_accounts_that_are_there(server):
    with pytest.raises(TypeError, match="nothing that `aws` can take"):
        serve(server.aws, data="orders.db")


@pytest.mark.slow
def test_a_server_whose_file_cannot_be_written_any_more_ends(fast_folder):
    server = serve(port=0, data=fast_folder / "orders.db", durability="none")
    server.start()
    server.aws.broker().close("writing to orders.db failed")
    server._thread.join(10)
    with pytest.raises(BrokerClosed, match=r"writing to orders\.db failed"):
        server.stop()
