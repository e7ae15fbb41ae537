"""The clients behind a broker over AWS: how they are made, shared and closed."""

import asyncio
import threading

import pytest
from botocore.config import Config
from botocore.exceptions import NoCredentialsError, ParamValidationError, ProfileNotFound

from queuestream import errors
from queuestream.aws.remote import RemoteBroker
from queuestream.aws.remote.calls import Call, Pause, run
from queuestream.aws.remote.queues import RemoteQueue
from queuestream.aws.remote.transports import AiobotocoreTransport, Boto3Transport, Connection

HERE = "http://127.0.0.1:9"
LIST = Call("sqs", "ListQueues", {})


@pytest.fixture
def nobody(monkeypatch, tmp_path):
    """An environment without credentials, a region or configuration files."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return tmp_path


def made(transport):
    """The client for SQS, made without asking anybody."""
    transport._made(LIST)
    return transport._clients["sqs"]


# --- making clients ---


def test_region_profile_and_credentials_come_from_where_boto3_finds_them(nobody):
    (nobody / "config").write_text("[profile shop]\nregion = eu-west-1\n", encoding="utf-8")
    (nobody / "credentials").write_text(
        "[shop]\naws_access_key_id = AKIASHOP\naws_secret_access_key = s\n", encoding="utf-8"
    )
    transport = Boto3Transport(Connection(profile="shop"))
    assert transport.region == "eu-west-1"
    client = made(transport)
    assert client.meta.endpoint_url == "https://sqs.eu-west-1.amazonaws.com"
    assert client._request_signer._credentials.access_key == "AKIASHOP"
    transport.close()


def test_a_region_that_is_given_counts_more(nobody, monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert Boto3Transport(Connection()).region == "us-east-1"
    assert Boto3Transport(Connection(region="ap-south-1")).region == "ap-south-1"
    assert RemoteBroker("ap-south-1", endpoint_url=HERE).region == "ap-south-1"


def test_nobody_has_to_say_a_region_until_there_is_a_call(nobody):
    broker = RemoteBroker(endpoint_url=HERE)
    assert (broker.region, repr(broker)) == ("", "<RemoteBroker in no region>")


def test_a_profile_that_does_not_exist_is_said_by_boto3(nobody):
    with pytest.raises(ProfileNotFound):
        RemoteBroker(profile="shop")


def config_of(**connection):
    return Connection(**connection).arguments(Config, has_credentials=True)["config"]


def test_a_client_waits_longer_than_a_long_poll_and_leaves_retries_to_others():
    config = config_of()
    assert config.read_timeout > 20
    assert config.max_pool_connections == 50
    assert config.retries["total_max_attempts"] == 1


def test_a_configuration_that_is_given_is_begun_with():
    mine = Config(connect_timeout=1, retries={"total_max_attempts": 9}, user_agent_extra="shop")
    config = config_of(config=mine)
    assert (config.connect_timeout, config.user_agent_extra) == (1, "shop")
    assert config.retries["total_max_attempts"] == 1


def test_an_endpoint_of_ones_own_needs_no_credentials(nobody):
    client = made(Boto3Transport(Connection(region="us-east-1", endpoint_url=HERE)))
    assert client._request_signer._credentials.access_key == "queuestream"


def test_awss_own_endpoints_do(nobody):
    transport = Boto3Transport(Connection(region="us-east-1"))
    with pytest.raises(NoCredentialsError):
        transport.do(LIST)


@pytest.mark.parametrize(
    ("endpoint_url", "has_credentials"),
    [
        (None, False),
        ("https://sqs.us-east-1.amazonaws.com", False),
        ("https://sqs.cn-north-1.amazonaws.com.cn", False),
        ("https://sqs.us-east-1.api.aws", False),
        (HERE, True),
    ],
)
def test_credentials_are_made_up_for_nobody_else(endpoint_url, has_credentials):
    connection = Connection(endpoint_url=endpoint_url)
    assert "aws_access_key_id" not in connection.arguments(Config, has_credentials=has_credentials)


def test_threads_that_call_at_once_share_one_client(nobody):
    transport = Boto3Transport(Connection(region="us-east-1", endpoint_url=HERE))
    methods = []
    threads = [threading.Thread(target=lambda: methods.append(transport._made(LIST))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(method.__self__) for method in methods}) == 1


# --- what cannot be sent ---


def test_what_no_request_can_carry_is_refused_before_it_is_sent(remote):
    queue = remote.create_queue("emails")
    with pytest.raises(errors.InvalidParameterValue, match="Invalid type for parameter MessageBody"):
        queue.send(b"bytes")
    with pytest.raises(errors.InvalidParameterValue, match="Invalid type for parameter Tags"):
        queue.tag(["a"])


def test_what_a_request_can_carry_is_the_services_to_refuse(remote):
    with pytest.raises(errors.InvalidParameterValue, match="NUMBER_VALUE can not be converted to a String"):
        remote.create_queue("emails").send(7)


def test_an_error_that_is_not_the_requests_is_not_blamed_on_it(remote, monkeypatch):
    queue = remote.create_queue("emails")

    def stumble(**request):
        raise TypeError("not the request")

    monkeypatch.setitem(remote._transport._methods, ("sqs", "SendMessage"), stumble)
    with pytest.raises(TypeError, match="not the request"):
        queue.send("hello")


# --- closing ---


def test_a_broker_that_is_closed_takes_no_more_calls(nobody):
    with RemoteBroker("us-east-1", endpoint_url=HERE) as broker:
        queue = RemoteQueue(broker, f"{HERE}/123456789012/emails")
        broker.check_open()
    assert repr(broker) == "<RemoteBroker in us-east-1: closed>"
    with pytest.raises(errors.BrokerClosed, match="it was closed"):
        queue.send("hello")
    with pytest.raises(errors.BrokerClosed):
        broker.check_open()
    broker.close("another reason")
    assert broker.closed_because == "it was closed"


def test_closing_ends_a_pause(nobody):
    transport = Boto3Transport(Connection(region="us-east-1", endpoint_url=HERE))

    def steps():
        yield Pause(3_600)
        yield LIST

    def pause():
        with pytest.raises(errors.BrokerClosed):
            run(steps(), transport)

    thread = threading.Thread(target=pause)
    thread.start()
    transport.close()
    thread.join(timeout=10)
    assert not thread.is_alive()


def test_closing_ends_the_pause_of_a_task(nobody):
    async def story():
        transport = AiobotocoreTransport(Connection(region="us-east-1", endpoint_url=HERE))
        pause = asyncio.create_task(transport.do(Pause(3_600)))
        await asyncio.sleep(0)
        await transport.close()
        assert await pause is None

    asyncio.run(story())


def test_a_client_for_asyncio_is_made_alike(nobody):
    async def story():
        mine = Config(user_agent_extra="shop")
        transport = AiobotocoreTransport(Connection(region="us-east-1", endpoint_url=HERE, config=mine))
        assert transport.region == "us-east-1"
        assert await transport.do(Pause(0)) is None
        method = await transport._made(LIST)
        assert await transport._made(LIST) == method
        client = transport._clients["sqs"]
        config = client.meta.config
        assert (config.read_timeout, config.max_pool_connections, config.user_agent_extra) == (60, 50, "shop")
        assert client._request_signer._credentials.access_key == "queuestream"
        with pytest.raises(ParamValidationError, match="Invalid type for parameter MessageBody"):
            await transport.do(Call("sqs", "SendMessage", {"QueueUrl": HERE, "MessageBody": object()}))
        await transport.close()
        with pytest.raises(errors.BrokerClosed):
            await transport.do(LIST)

    asyncio.run(story())
