"""Celery on kombu's SQS transport: a worker in a process of its own runs the tasks that it is sent."""

import base64
import json

import pytest

HOW = "pip install -e '.[server,clients]'"
celery = pytest.importorskip("celery", reason=HOW)
kombu = pytest.importorskip("kombu", reason=HOW)
boto3 = pytest.importorskip("boto3", reason=HOW)
pytest.importorskip("pycurl", reason=HOW)  # what kombu polls by, in a worker

pytestmark = [pytest.mark.clients, pytest.mark.slow]

SECONDS = 40

SETTINGS = """\
broker_url = "sqs://"
broker_transport_options = {"region": "us-east-1", "visibility_timeout": 60, "queue_name_prefix": "airport-"}
task_default_queue = "tasks"
task_acks_late = True
worker_enable_remote_control = False
"""

TASKS = """\
import os

from celery import Celery

app = Celery("airport", backend=os.environ["RESULTS"])
app.config_from_object("settings")


@app.task(name="add")
def add(one, other):
    return one + other


@app.task(name="third_time_lucky", bind=True, max_retries=3)
def third_time_lucky(self):
    if self.request.retries < 2:
        raise self.retry(countdown=0)
    return self.request.retries


@app.task(name="fail")
def fail():
    raise ValueError("not today")
"""


@pytest.fixture
def project(environment, tmp_path):
    """A Celery project: its settings, its tasks, a place for results."""
    (tmp_path / "settings.py").write_text(SETTINGS, encoding="utf-8")
    (tmp_path / "airport.py").write_text(TASKS, encoding="utf-8")
    (tmp_path / "results").mkdir()
    environment["RESULTS"] = f"file://{tmp_path / 'results'}"
    return tmp_path


@pytest.fixture
def sender(here, project, environment):
    """The same project seen by who sends tasks and does not have their code."""
    settings = {}
    exec(SETTINGS, settings)
    settings.pop("__builtins__")
    with celery.Celery("sender", backend=environment["RESULTS"], set_as_current=False) as app:
        app.conf.update(settings)
        yield app
    kombu.pools.reset()  # kombu keeps connections by their URL, and remembers the queues behind it


def test_a_worker_runs_the_tasks_that_it_is_sent(sender, project, worker):
    before = sender.send_task("add", (20, 22))
    # One process: with two, the second may store the result of a retry before the first has stored that
    # there is one, and Celery's results on disk then say RETRY for good.
    worker("celery", "--app", "airport", "worker", "--loglevel", "info", "--concurrency", "1", cwd=project)

    assert before.get(timeout=SECONDS) == 42
    many = [sender.send_task("add", (number, number)) for number in range(20)]
    assert [result.get(timeout=SECONDS) for result in many] == [2 * number for number in range(20)]
    assert sender.send_task("third_time_lucky").get(timeout=SECONDS) == 2
    with pytest.raises(ValueError, match="not today"):
        sender.send_task("fail").get(timeout=SECONDS)


def test_what_the_worker_has_done_is_not_in_the_queue_any_more(sender, project, worker):
    results = [sender.send_task("add", (number, 1)) for number in range(3)]
    process = worker("celery", "--app", "airport", "worker", "--concurrency", "1", cwd=project)
    for result in results:
        result.get(timeout=SECONDS)
    process.terminate()
    process.wait(timeout=SECONDS)

    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName="airport-tasks")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["VisibilityTimeout"] == "60"
    assert attributes["ApproximateNumberOfMessages"] == "0"
    assert attributes["ApproximateNumberOfMessagesNotVisible"] == "0"


def test_a_task_waits_in_the_queue_as_kombu_wrote_it(sender):
    sent = sender.send_task("add", (1, 2))

    sqs = boto3.client("sqs")
    [url] = sqs.list_queues(QueueNamePrefix="airport-")["QueueUrls"]
    [message] = sqs.receive_message(QueueUrl=url)["Messages"]
    envelope = json.loads(base64.b64decode(message["Body"]))
    assert envelope["headers"]["task"] == "add"
    assert envelope["headers"]["id"] == sent.id
