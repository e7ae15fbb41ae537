"""Brokers over AWS that are answered in this process, and wait for nothing."""

import aiobotocore.session
import boto3

from queuestream.aws import wire
from queuestream.aws.remote import AsyncRemoteBroker, RemoteBroker, Retries

# Whatever a session has read of AWS's models it keeps for the next client.
KEYS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "us-east-1"}


def no_pause():
    return 0.0


def remote_broker(aws, **options):
    """A broker over AWS that is answered in this process, and waits for nothing."""
    session = wire(boto3.Session(**KEYS), aws, faults=options.pop("faults", None))
    return RemoteBroker(session=session, retries=Retries(chance=no_pause), **options)


def async_remote_broker(aws, **options):
    """The same for asyncio."""
    session = wire(aiobotocore.session.get_session(), aws)
    session.set_credentials("testing", "testing")
    return AsyncRemoteBroker("us-east-1", session=session, retries=Retries(chance=no_pause), **options)
