"""`mock_aws` over a class of tests: one world for each test, with what is set up for it."""

import unittest

import pytest

from queuestream.aws import mock_aws

pytest_plugins = ["pytester"]

HEADER = """
import unittest
import boto3
import pytest
from queuestream.aws import mock_aws

SQS = boto3.client("sqs", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")

def create(name):
    SQS.create_queue(QueueName=name)

def names():
    return [url.rpartition("/")[2] for url in SQS.list_queues().get("QueueUrls", [])]
"""


def run(pytester, source, **outcomes):
    pytester.makepyfile(HEADER + source)
    result = pytester.runpytest_inprocess("-W", "error", "-p", "no:cacheprovider")
    result.assert_outcomes(**outcomes)


def test_each_test_of_a_test_case_has_what_its_set_up_made(pytester):
    run(
        pytester,
        """
@mock_aws
class TestQueues(unittest.TestCase):
    def setUp(self):
        create("emails")
        self.addCleanup(lambda: self.assertEqual(names(), ["emails", "orders"]))

    def tearDown(self):
        create("orders")

    def test_one(self):
        self.assertEqual(names(), ["emails"])

    def test_other(self):
        self.assertEqual(names(), ["emails"])
""",
        passed=2,
    )


def test_what_a_test_case_inherits_is_inside_too(pytester):
    run(
        pytester,
        """
class Base:
    def setUp(self):
        create("emails")

    def test_inherited(self):
        self.assertEqual(names(), ["emails"])

@mock_aws
class TestQueues(Base, unittest.TestCase):
    def test_own(self):
        self.assertEqual(names(), ["emails"])
""",
        passed=2,
    )


def test_an_async_test_case(pytester):
    run(
        pytester,
        """
@mock_aws
class TestQueues(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        create("emails")

    async def test_one(self):
        self.assertEqual(names(), ["emails"])
        with mock_aws():
            self.assertEqual(names(), ["emails"])
""",
        passed=1,
    )


def test_a_class_of_pytest_with_setup_method(pytester):
    run(
        pytester,
        """
@mock_aws
class TestQueues:
    def setup_method(self, method):
        create("emails")

    def teardown_method(self, method):
        assert names() == ["emails", method.__name__]

    def test_one(self):
        assert names() == ["emails"]
        create("test_one")

    def test_other(self):
        assert names() == ["emails"]
        create("test_other")
""",
        passed=2,
    )


def test_a_class_of_pytest_with_fixtures_of_its_own(pytester):
    run(
        pytester,
        """
@mock_aws
class TestQueues:
    @pytest.fixture
    def emails(self):
        create("emails")
        yield "emails"
        assert names() == ["emails", "orders"]

    @pytest.fixture
    def orders(self):
        create("orders")

    def test_one(self, emails, orders):
        assert names() == ["emails", "orders"]

    def test_other(self):
        assert names() == []
""",
        passed=2,
    )


def test_arguments_and_parameters_of_pytest_still_arrive(pytester):
    run(
        pytester,
        """
@pytest.fixture
def number():
    return 7

@mock_aws(account_id="111122223333")
class TestQueues:
    @pytest.mark.parametrize("name", ["emails", "orders"])
    def test_one(self, name, number):
        create(name)
        assert SQS.get_queue_url(QueueName=name)["QueueUrl"].split("/")[3] == "111122223333"
        assert number == 7
""",
        passed=2,
    )


def test_a_fixture_can_be_decorated_from_both_sides(pytester):
    run(
        pytester,
        """
@pytest.fixture
@mock_aws
def inner():
    create("emails")
    yield
    assert names() == ["emails"]

@mock_aws
@pytest.fixture
def outer():
    create("emails")
    yield

def test_inner(inner):
    assert names() == ["emails"]

def test_outer(outer):
    assert names() == ["emails"]
""",
        passed=2,
    )


def names(sqs):
    return [url.rpartition("/")[2] for url in sqs.list_queues().get("QueueUrls", [])]


def test_tests_that_share_an_instance_do_not_share_queues(sqs):
    @mock_aws
    class Tests:
        def test_one(self):
            sqs.create_queue(QueueName="one")
            return names(sqs)

        def test_other(self):
            return self.helped()

        def helped(self):
            return names(sqs)

    tests = Tests()
    assert tests.test_one() == ["one"]
    assert tests.test_other() == []


def test_helpers_see_what_the_test_sees(sqs):
    @mock_aws
    class Tests:
        def create(self, name):
            sqs.create_queue(QueueName=name)

        def test_one(self):
            self.create("emails")
            return names(sqs)

    assert Tests().test_one() == ["emails"]


def test_classes_inside_are_decorated_too(sqs):
    @mock_aws
    class Outer:
        class Inner:
            def test_one(self):
                return names(sqs)

    assert Outer.Inner().test_one() == []


def test_what_is_around_a_class_is_joined(sqs):
    @mock_aws
    class Tests:
        def test_one(self):
            return names(sqs)

    with mock_aws():
        sqs.create_queue(QueueName="emails")
        assert Tests().test_one() == ["emails"]


def test_class_methods_static_methods_and_private_ones_are_left_alone():
    class Tests(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            """Nothing."""

        @staticmethod
        def help():
            """Nothing."""

        def _private(self):
            """Nothing."""

    before = dict(vars(Tests))
    after = vars(mock_aws(Tests))
    assert {name: value for name, value in after.items() if name != "run"} == before


@pytest.mark.parametrize("value", [1, "text", None])
def test_attributes_are_left_alone(value):
    @mock_aws
    class Tests:
        attribute = value

    assert Tests.attribute is value
