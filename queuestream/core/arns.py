"""ARNs and queue URLs: text to parts and back."""

from __future__ import annotations

from typing import NamedTuple

URL_HOST = "sqs.{region}.amazonaws.com"


class Arn(NamedTuple):
    """The parts of an Amazon Resource Name that SQS and Kinesis use."""

    service: str
    region: str
    account_id: str
    resource: str

    def __str__(self) -> str:
        return f"arn:aws:{self.service}:{self.region}:{self.account_id}:{self.resource}"

    @property
    def name(self) -> str:
        """The queue's name; the stream's name, without `stream/` and what follows it."""
        kind, slash, rest = self.resource.partition("/")
        return rest.partition("/")[0] if slash else kind


def parse_arn(text: object) -> Arn | None:
    """The parts of an ARN (`arn:aws:sqs:us-east-1:000000000000:emails`), None where it isn't one."""
    if not isinstance(text, str):
        return None
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or not parts[1].startswith("aws") or not all(parts[2:]):
        return None
    return Arn(*parts[2:])


def queue_url(region: str, account_id: str, name: str) -> str:
    """The URL by which SQS names a queue."""
    return f"https://{URL_HOST.format(region=region)}/{account_id}/{name}"


def name_of_queue_url(url: str) -> tuple[str, str] | None:
    """The account and the name that a queue URL ends in, whatever its host; None where there are none."""
    parts = url.rstrip("/").rsplit("/", 2)
    return (parts[1], parts[2]) if len(parts) == 3 and all(parts) else None
