"""Web pages and names of hosts: who is let in."""

import pytest
from server_clients import ask

from queuestream.aws.front_end.http import HttpRequest
from queuestream.aws.server import serve
from queuestream.aws.server.visitors import Visitors

PAGE = "https://evil.example.org"
OWN = "http://localhost:3000"


def request(method="POST", host="localhost:4566", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpRequest(method, "/", "", {"host": host, **named}, b"")


def is_let_in(visitors, *arguments, **headers):
    return visitors.refusal(request(*arguments, **headers)) is None


def test_programs_are_let_in():
    assert is_let_in(Visitors())
    assert Visitors().refusal(HttpRequest("GET", "/", "", {}, b"")) is None  # HTTP/1.0 has no Host


@pytest.mark.parametrize("origin", [PAGE, OWN, "null", "", "file://", "http://localhost"])
def test_a_page_of_another_origin_is_not(origin):
    refusal = Visitors().refusal(request(origin=origin))

    assert refusal.status == 403
    assert f"--cors {origin}" in refusal.body.decode()


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_another_page_embeds_is_not(site):
    assert not is_let_in(Visitors(), "GET", sec_fetch_site=site)


@pytest.mark.parametrize("site", ["none", "same-origin"])
def test_what_a_person_types_into_a_browser_is(site):
    assert is_let_in(Visitors(), "GET", sec_fetch_site=site)


def test_a_page_of_its_own_origin_is_let_in():
    assert is_let_in(Visitors(), origin="http://localhost:4566", host="localhost:4566")
    assert is_let_in(Visitors(), origin="http://LOCALHOST:4566", host="Localhost:4566")


@pytest.mark.parametrize("allowed", [[OWN], [f"{OWN}/"], [PAGE, OWN], ["*"]], ids=str)
def test_a_page_that_was_allowed_is_let_in_and_may_read(allowed):
    visitors = Visitors(allowed)

    assert is_let_in(visitors, origin=OWN)
    greeting = visitors.greeting(request(origin=OWN))
    assert greeting["Access-Control-Allow-Origin"] == OWN
    assert greeting["Vary"] == "Origin"
    assert "x-amzn-RequestId" in greeting["Access-Control-Expose-Headers"]


def test_other_pages_than_the_allowed_ones_are_neither_let_in_nor_greeted():
    visitors = Visitors([OWN])
    assert not is_let_in(visitors, origin=PAGE)
    assert visitors.greeting(request(origin=PAGE)) == {}
    assert not is_let_in(visitors, "GET", sec_fetch_site="cross-site")


def test_programs_are_not_greeted():
    assert Visitors(["*"]).greeting(request()) == {}


def test_a_browser_that_asks_first_is_answered():
    asking = request(
        "OPTIONS",
        origin=OWN,
        access_control_request_method="POST",
        access_control_request_headers="authorization,x-amz-target",
        access_control_request_private_network="true",
    )
    answer = Visitors([OWN]).preflight(asking)

    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Headers"] == "authorization,x-amz-target"
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Private-Network"] == "true"


def test_other_questions_are_none_of_a_browser_s():
    assert Visitors(["*"]).preflight(request("OPTIONS")) is None
    assert Visitors(["*"]).preflight(request("POST", access_control_request_method="POST")) is None


@pytest.mark.parametrize(
    "host",
    [
        "",
        "localhost",
        "LOCALHOST:4566",
        "127.0.0.1:4566",
        "192.168.1.10",
        "[::1]:4566",
        "queuestream:4566",
        "queue.localhost:4566",
        "build-7.local",
        "host.docker.internal:4566",
        "sqs.eu-west-1.amazonaws.com",
        "kinesis.us-east-1.amazonaws.com:4566",
        "eu-west-1.queue.amazonaws.com",
        "queue.amazonaws.com",
        "sqs.cn-north-1.amazonaws.com.cn",
    ],
)
def test_names_that_nobody_can_point_here_from_outside_are_answered(host):
    assert is_let_in(Visitors(), host=host)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example.org",
        "evil.example.org:4566",
        "localhost.evil.example.org",
        "evil-localhost.org",
        "127.0.0.1.nip.io",
        "ec2-1-2-3-4.compute.amazonaws.com",
        "sqs.eu-west-1.amazonaws.com.evil.org",
        "evil.org.",
        "bücher.example",
    ],
)
def test_names_that_somebody_may_have_pointed_here_are_not(host):
    visitors = Visitors()
    assert "--allow-host" in visitors.refusal(request(host=host)).body.decode()
    assert not is_let_in(visitors, host=host)  # nor the second time


def test_a_name_can_be_allowed():
    assert is_let_in(Visitors(hosts=["Queues.Example.org"]), host="queues.example.org:80")
    assert is_let_in(Visitors(any_host=True), host="anything.example.org")


def test_many_names_do_not_fill_the_memory():
    visitors = Visitors()
    for number in range(1_000):
        assert is_let_in(visitors, host=f"host-{number}")

    assert len(visitors._known_hosts) <= 64


# --- over HTTP ---


def test_a_page_can_do_nothing_unless_it_is_allowed(shared_server):
    for path in ("/", "/_queuestream/reset", "/?Action=ListQueues", "/_queuestream/health"):
        assert ask(shared_server, "POST", path, Origin=PAGE).status == 403
        assert ask(shared_server, "GET", path, Sec_Fetch_Site="cross-site").status == 403
        assert ask(shared_server, "POST", path, Host="evil.example.org").status == 403
    asking = ask(shared_server, "OPTIONS", "/", Origin=PAGE, Access_Control_Request_Method="POST")
    assert asking.status == 403
    assert "access-control-allow-origin" not in asking.headers


def test_a_page_that_is_allowed_may_ask_and_read():
    with serve(port=0, cors=[OWN]) as server:
        asking = ask(server, "OPTIONS", "/", Origin=OWN, Access_Control_Request_Method="POST")
        assert (asking.status, asking.headers["access-control-allow-origin"]) == (204, OWN)

        answer = ask(
            server,
            "POST",
            "/",
            "{}",
            Origin=OWN,
            X_Amz_Target="AmazonSQS.ListQueues",
            Content_Type="application/x-amz-json-1.0",
        )
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, OWN)
