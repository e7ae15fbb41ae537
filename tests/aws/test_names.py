"""The names of queuestream.aws: each loads what it needs, and says what to install where that is missing."""

import subprocess
import sys

import pytest

import queuestream.aws


@pytest.mark.parametrize("name", queuestream.aws.__all__)
def test_a_public_name_can_be_imported(name):
    assert getattr(queuestream.aws, name) is not None
    assert name in dir(queuestream.aws)


def test_a_name_that_is_none_is_no_attribute():
    with pytest.raises(AttributeError, match=r"module 'queuestream\.aws' has no attribute 'mock_sqs'"):
        queuestream.aws.mock_sqs  # noqa: B018 - the question is the test


@pytest.mark.parametrize(
    ("name", "missing", "extra"),
    [("mock_aws", "botocore", "aws"), ("wire", "botocore", "aws"), ("serve", "uvicorn", "server")],
)
def test_where_an_extra_is_not_installed_the_error_says_which(name, missing, extra):
    program = (
        f"import sys; sys.modules[{missing!r}] = None\nfrom queuestream.aws import {name}\n{name}().start()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert f"pip install 'queuestream[{extra}]'" in done.stderr.splitlines()[-1]
