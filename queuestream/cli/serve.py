"""Answer the AWS CLI and every AWS SDK: Amazon SQS and Amazon Kinesis Data Streams over HTTP.

It prints one line when clients can connect, with the endpoint URL, and serves until Ctrl-C or SIGTERM.
Then it answers those who wait, and ends.  Nothing is kept, and a new server is an empty one, but for
--data: then everything is in that file when it is answered, and several processes share it by this server.

Examples:
  queuestream serve
  queuestream serve --port 0 --seed 7
  queuestream serve --virtual-clock        (then POST /_queuestream/clock/advance)
  queuestream serve --delete-interval 0 --purge-interval 0   (for tests that do not wait AWS's minute)
  queuestream serve --host 0.0.0.0 --access-keys keys.txt
  queuestream serve --data orders.db                                 (made where there is none)

Clients need the endpoint URL, and any credentials and region:
  export AWS_ENDPOINT_URL=http://127.0.0.1:4566
  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1
  aws sqs create-queue --queue-name emails      (version 1 of the CLI wants --endpoint-url here, too)
  aws kinesis create-stream --stream-name events --shard-count 2

An access key id of twelve digits is the account that the client acts in; each account and region has
queues and streams of its own.  A file keeps one account in one region: with --data, clients of others are
refused.

Beside AWS's operations it answers:
  GET  /_queuestream/health                    whether it runs
  POST /_queuestream/reset                     forget every queue and stream, but those in a file
  GET  /_queuestream/clock                     what time it is there
  POST /_queuestream/clock/advance             {"hours": 12}, as application/json, on a virtual clock
  GET  /_queuestream/queues/NAME/messages      look into a queue; ?account=...&region=...&limit=...

Exit status: 0 when it was told to stop, 1 when the file could not be written any more, 2 where the command
line makes no sense, or the address or the file cannot be had.
"""

from __future__ import annotations

import argparse
import logging
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from queuestream.aws.server import Server

SUMMARY = "answer the AWS CLI and every AWS SDK over HTTP: SQS and Kinesis, in memory or in a file"

_ENDED, _FAILED, _MAKES_NO_SENSE = range(3)
_ACCOUNT_ID_LENGTH = 12


class AccessKey(NamedTuple):
    """A key that may sign requests."""

    access_key_id: str
    secret: str
    account_id: str | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    where = parser.add_argument_group("where it listens")
    where.add_argument(
        "--host",
        default="127.0.0.1",
        help="the address; the default, %(default)s, can be reached from this machine only; "
        "0.0.0.0 from everywhere",
    )
    where.add_argument(
        "--port",
        metavar="PORT",
        type=_whole_number(0, 65_535),
        default=4566,
        help="the port, 0 for any free one (default %(default)s)",
    )

    what = parser.add_argument_group("what it serves")
    what.add_argument(
        "--account-id",
        metavar="ID",
        type=_account_id,
        help="the account of clients whose access key id is no account itself "
        "(default: the file's, or 123456789012)",
    )
    what.add_argument(
        "--region",
        help="the region of requests that name none (default: the file's, or us-east-1)",
    )
    what.add_argument(
        "--data",
        metavar="FILE",
        help="keep everything in this SQLite file, and serve what is in it (default: in memory)",
    )
    what.add_argument(
        "--durability",
        choices=["commit", "interval", "none"],
        help="when what was asked is on disk, with --data: when it is answered (commit, the default), every "
        "50 ms, or when the system likes; a process that is killed loses nothing in any case",
    )
    what.add_argument("--seed", metavar="N", help="the same N, the same ids")
    what.add_argument(
        "--shard-limit",
        metavar="N",
        type=_whole_number(1, 1_000_000),
        help="how many open shards an account may have in a region (default 20000)",
    )
    what.add_argument(
        "--provisioning-time",
        metavar="SECONDS",
        type=_seconds,
        default=0,
        help="how long streams are CREATING, UPDATING and DELETING (default %(default)s: no time)",
    )
    what.add_argument(
        "--delete-interval",
        metavar="SECONDS",
        type=_whole_number(0, 86_400),
        default=60,
        help="how long the name of a deleted queue cannot be taken again (default %(default)s, as at AWS; "
        "0 for tests that make the same queue each time)",
    )
    what.add_argument(
        "--purge-interval",
        metavar="SECONDS",
        type=_whole_number(0, 86_400),
        default=60,
        help="how long a purged queue cannot be purged again (default %(default)s, as at AWS)",
    )
    what.add_argument(
        "--eventual-consistency",
        action="store_true",
        help="let purges, new attributes, counts and the like take as long as AWS documents, "
        "rather than no time",
    )
    what.add_argument(
        "--delivery",
        choices=["strict", "aws_like", "adversarial"],
        default="strict",
        help="deliver messages of standard queues once and in order (strict, the default), or with what AWS "
        "allows itself: short polls that miss some, reordering, duplicates; now and then (aws_like) or "
        "whenever it can be (adversarial)",
    )
    what.add_argument(
        "--enforce-throughput",
        action="store_true",
        help="let FIFO queues and shards refuse what goes beyond AWS's quotas of a second",
    )
    what.add_argument(
        "--virtual-clock",
        action="store_true",
        help="let time stand still until somebody moves it by POST /_queuestream/clock/advance; "
        "a long poll still ends after its time in real seconds",
    )

    who = parser.add_argument_group("who may use it")
    who.add_argument(
        "--access-key",
        metavar="ID:SECRET",
        action="append",
        type=_access_key,
        default=[],
        help="check signatures, and refuse whatever is not signed by this key or another one that is given; "
        "may be repeated; ID:SECRET:ACCOUNT gives a key its own account "
        "(other users of this machine see command lines: prefer --access-keys)",
    )
    who.add_argument(
        "--access-keys",
        metavar="FILE",
        type=_access_keys_in,
        default=[],
        help="the same from a file, one ID:SECRET or ID:SECRET:ACCOUNT on a line, # for comments",
    )
    who.add_argument(
        "--no-control",
        action="store_true",
        help="turn the endpoints below /_queuestream/ off, but for health; they are off anyway on "
        "an address that others can reach, if no access key is given",
    )
    who.add_argument(
        "--cors",
        metavar="ORIGIN",
        action="append",
        default=[],
        help="let web pages of this origin use it (http://localhost:3000), or of any (*); may be repeated; "
        "without it no page of another origin may",
    )
    who.add_argument(
        "--allow-host",
        metavar="NAME",
        action="append",
        default=[],
        help="a name by which it may be called, besides addresses, localhost and private names; "
        "may be repeated",
    )

    limits = parser.add_argument_group("limits")
    limits.add_argument(
        "--max-body",
        metavar="BYTES",
        type=_whole_number(1, 2**31),
        default=16 * 1024 * 1024,
        help="the longest body of a request (default %(default)s)",
    )
    limits.add_argument(
        "--max-connections",
        metavar="N",
        type=_whole_number(1, 1_000_000),
        default=1_000,
        help="how many connections it has at a time (default %(default)s)",
    )
    parser.add_argument(
        "--log-level",
        choices=["debug", "info", "warning", "error"],
        default="warning",
        help="what is said on standard error; info has a line for each request (default %(default)s)",
    )


def run(options: argparse.Namespace) -> int:
    """Serve until told to stop.

    Returns:
        The exit status.
    """
    logging.basicConfig(
        stream=sys.stderr, level=options.log_level.upper(), format="%(asctime)s %(levelname)s %(message)s"
    )
    logging.getLogger("hpack").setLevel(logging.INFO)  # it would show every header, signatures too
    try:
        # For `queuestream --help`, and because it needs an extra.
        from queuestream.aws.server import CannotListen, serve  # noqa: PLC0415
        from queuestream.core.errors import BrokerClosed, InvalidParameterValue, StorageError  # noqa: PLC0415
    except ImportError as error:
        return _complain(f"{error}; pip install 'queuestream[server]' has what it needs")

    if options.durability is not None and options.data is None:
        return _complain("--durability says how the file of --data is written, and there is no --data")
    keys = [*options.access_key, *options.access_keys]
    make = partial(
        serve,
        host=options.host,
        port=options.port,
        data=options.data,
        durability=options.durability or "commit",
        account_id=options.account_id,
        region=options.region,
        seed=options.seed,
        shard_limit=options.shard_limit,
        provisioning_time_seconds=options.provisioning_time,
        delete_interval_seconds=options.delete_interval,
        purge_interval_seconds=options.purge_interval,
        eventual_consistency=options.eventual_consistency,
        delivery=options.delivery,
        enforce_throughput=options.enforce_throughput,
        virtual_clock=options.virtual_clock,
        access_keys={key.access_key_id: key.secret for key in keys},
        accounts={key.access_key_id: key.account_id for key in keys if key.account_id},
        control=not options.no_control,
        cors=options.cors,
        allowed_hosts=options.allow_host,
        body_bytes_max=options.max_body,
        connections_max=options.max_connections,
    )
    try:
        make().run(_say_that_it_is_ready)
    except (CannotListen, StorageError, InvalidParameterValue) as error:
        return _complain(str(error))
    except BrokerClosed as error:
        _complain(f"{error.reason}.  Start it again for what was kept")
        return _FAILED
    return _ENDED


def _say_that_it_is_ready(server: Server) -> None:
    print(f"queuestream serves SQS and Kinesis on {server.endpoint_url}", flush=True)


def _whole_number(low: int, high: int) -> Callable[[str], int]:
    def whole_number(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 12 and low <= int(text) <= high):
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {low} to {high}")
        return int(text)

    return whole_number


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 0 to 86400")
    return seconds


def _account_id(text: str) -> str:
    if not (text.isascii() and text.isdigit() and len(text) == _ACCOUNT_ID_LENGTH):
        raise argparse.ArgumentTypeError(f"{text!r} is no account id: twelve digits")
    return text


def _access_key(text: str) -> AccessKey:
    access_key_id, _, rest = text.partition(":")
    secret, colon, account_id = rest.partition(":")
    if not access_key_id or not secret or any(character in "/ ,=" for character in access_key_id):
        # The text is not shown: it may be most of a secret.
        raise argparse.ArgumentTypeError("an access key is ID:SECRET or ID:SECRET:ACCOUNT")
    return AccessKey(access_key_id, secret, _account_id(account_id) if colon else None)


def _access_keys_in(path: str) -> list[AccessKey]:
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise argparse.ArgumentTypeError(f"cannot read {path}: {error}") from None
    keys = []
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                keys.append(_access_key(line.strip()))
            except argparse.ArgumentTypeError as error:
                raise argparse.ArgumentTypeError(f"{path}, line {number}: {error}") from None
    if not keys:
        raise argparse.ArgumentTypeError(f"there is no access key in {path}")
    return keys


def _complain(sentence: str) -> int:
    print(f"queuestream serve: {sentence}", file=sys.stderr)
    return _MAKES_NO_SENSE
