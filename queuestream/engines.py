"""One program, three engines: a broker by its URL.

    memory://                                        in this process, gone with it
    sqlite:///orders.db                              in a file next to it (four slashes: an absolute path)
    aws://eu-west-1?endpoint_url=...&profile=...     Amazon SQS and Kinesis, or what speaks like them

Each gives a broker with the same operations, parameters, values and errors.  What an
engine cannot do raises `NotSupportedByEngine`; docs/reference/engines.md has the table.
"""

from __future__ import annotations

from contextlib import contextmanager
from string import ascii_lowercase, digits
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict
from urllib.parse import parse_qsl, unquote, urlsplit

from queuestream.core.errors import InvalidParameterValue, NotSupportedByEngine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Unpack

    from queuestream.aws.remote.broker import AsyncRemoteBroker, RemoteBroker
    from queuestream.core.broker import Broker
    from queuestream.core.clock import Clock
    from queuestream.core.delivery import Delivery
    from queuestream.core.queues.consistency import Consistency
    from queuestream.core.queues.limits import QueueLimits
    from queuestream.storage.store import Durability

_FORMS = "memory://, sqlite:///orders.db or aws://eu-west-1"
_HINTS = {
    "sqlite": " A file has three slashes before its name; what means something in a URL (?, #, %) is written "
    "%3F, %23, %25.",
    "aws": " Another endpoint than AWS's is an option: aws://eu-west-1?endpoint_url=http://localhost:4566.",
}
_REGION = frozenset(ascii_lowercase + digits + "-")
_MEMORY = {"clock", "seed", "account_id", "region", "queue_limits", "consistency", "delivery"}
_SQLITE = _MEMORY | {"durability", "sync_interval_ms"}
_AWS = {"endpoint_url", "profile", "wait", "session", "config", "seed"}


class Url(NamedTuple):
    """A broker's URL, taken apart.

    Attributes:
        engine: `memory`, `sqlite` or `aws`.
        name: The file, or the region; empty for `memory` and where the region is to be found.
        options: What the URL says after the question mark.
    """

    engine: str
    name: str
    options: dict[str, str]


class ConnectOptions(TypedDict, total=False):
    """The options of `connect`, under the names that they have there."""

    clock: Clock | None
    seed: int | str | None
    account_id: str | None
    region: str | None
    queue_limits: QueueLimits | None
    consistency: Consistency | None
    delivery: Delivery | str | None
    durability: Durability | None
    sync_interval_ms: float | None
    endpoint_url: str | None
    profile: str | None
    wait: bool | None
    session: Any
    config: Any


def connect(
    url: str,
    *,
    clock: Clock | None = None,
    seed: int | str | None = None,
    account_id: str | None = None,
    region: str | None = None,
    queue_limits: QueueLimits | None = None,
    consistency: Consistency | None = None,
    delivery: Delivery | str | None = None,
    durability: Durability | None = None,
    sync_interval_ms: float | None = None,
    endpoint_url: str | None = None,
    profile: str | None = None,
    wait: bool | None = None,
    session: Any = None,
    config: Any = None,
) -> Broker | RemoteBroker:
    """A broker with the engine that a URL names; close it in the end, or use it as a context manager.

    Options may also stand in the URL, as in `sqlite:///orders.db?durability=interval`.

    Args:
        url: `memory://`, `sqlite:///orders.db` (four slashes for an absolute path), `aws://eu-west-1`, or
            `aws://` for the region that boto3 finds.
        clock: Not with `aws`; as for `Broker`.
        seed: As for `Broker`; with `aws`, of the pauses between tries.
        account_id: Not with `aws`; as for `Broker`.  A file keeps its own.
        region: Not with `aws`, whose URL names it; as for `Broker`.  A file keeps its own.
        queue_limits: Not with `aws`; as for `Broker`.
        consistency: Not with `aws`; as for `Broker`.
        delivery: Not with `aws`; as for `Broker`.  In a URL by its name.
        durability: `sqlite` only.  `commit`: on disk when the call returns.  `interval`: a power cut loses
            the last `sync_interval_ms` at most.  `none`: it may lose more.  None of them loses anything when
            only the process ends, however it ends.
        sync_interval_ms: `sqlite` only: milliseconds, 50 where nothing is said.
        endpoint_url: `aws` only: another endpoint than AWS's, `queuestream serve` for one.
        profile: `aws` only: the profile of AWS's configuration files.
        wait: `aws` only: whether calls that change a stream's shape return when it is ACTIVE again.
        session: `aws` only: the `boto3.Session` to use.
        config: `aws` only: a `botocore.config.Config` to begin with.

    Raises:
        InvalidParameterValue: A URL or an option that makes no sense.
        NotSupportedByEngine: An option that this engine does not have.
        StorageError: The file cannot be opened; its subclasses say why.
    """
    engine, name, _ = parsed = parse_url(url)
    options = options_of(
        parsed,
        clock=clock,
        seed=seed,
        account_id=account_id,
        region=region,
        queue_limits=queue_limits,
        consistency=consistency,
        delivery=delivery,
        durability=durability,
        sync_interval_ms=sync_interval_ms,
        endpoint_url=endpoint_url,
        profile=profile,
        wait=wait,
        session=session,
        config=config,
    )
    if engine == "memory":
        from queuestream.core.broker import Broker  # noqa: PLC0415 - only where it is asked for

        return Broker(**options)
    if engine == "sqlite":
        from queuestream.storage.opening import open_broker  # noqa: PLC0415 - as above

        return open_broker(name, **options)
    with _needing("'queuestream[aws]'"):
        from queuestream.aws.remote.broker import RemoteBroker  # noqa: PLC0415 - needs boto3

        return RemoteBroker(name or None, **options)


def connect_async(url: str, **options: Unpack[ConnectOptions]) -> AsyncRemoteBroker:
    """What `aio.connect` uses for `aws`, over aiobotocore; to be entered by `async with`."""
    parsed = parse_url(url)
    with _needing("aiobotocore"):
        from queuestream.aws.remote.broker import AsyncRemoteBroker  # noqa: PLC0415 - needs aiobotocore

        return AsyncRemoteBroker(parsed.name or None, **options_of(parsed, **options))


@contextmanager
def _needing(package: str) -> Iterator[None]:
    """Say what to install where something is missing."""
    try:
        yield
    except ModuleNotFoundError as missing:
        message = f"{missing}; pip install {package} has what aws:// needs"
        raise ModuleNotFoundError(message, name=missing.name) from missing


def parse_url(url: str) -> Url:
    """A broker's URL, taken apart.

    Raises:
        InvalidParameterValue: It is none.
    """
    if not isinstance(url, str):
        raise InvalidParameterValue(f"A broker's URL is a text such as {_FORMS}, not {url!r}.")
    try:
        parts = urlsplit(url)
        url.encode()
    except ValueError as error:
        raise InvalidParameterValue(f"The URL {url!r} is none: {error}.") from None
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    options = dict(pairs)
    if len(options) < len(pairs):
        raise InvalidParameterValue(f"The URL {url!r} has an option twice.")
    engine, host, path = parts.scheme, parts.netloc, unquote(parts.path)
    is_whole = "://" in url and "#" not in url and path.isprintable()
    if engine == "memory" and is_whole and not (host or path.strip("/")):
        return Url("memory", "", options)
    if engine == "sqlite" and is_whole and not host and path[1:] and not path.endswith("/"):
        if path == "/:memory:":
            raise InvalidParameterValue("For a broker without a file there is memory://.")
        return Url("sqlite", path[1:], options)
    if engine == "aws" and is_whole and not path.strip("/") and _REGION.issuperset(host):
        return Url("aws", host, options)
    raise InvalidParameterValue(f"The URL {url!r} is none of {_FORMS}.{_HINTS.get(engine, '')}")


def options_of(url: Url, **given: Any) -> dict[str, Any]:
    """The options of an engine, from the URL and from keywords.

    Raises:
        InvalidParameterValue: One that nobody has, that is given twice, or that makes no sense.
        NotSupportedByEngine: One that another engine has.
    """
    options = {name: value for name, value in given.items() if value is not None}
    for name, text in url.options.items():
        read = _READ_FROM_URL.get(name)
        if read is None:
            raise InvalidParameterValue(
                f"A URL has no option {name!r}; it may have {', '.join(sorted(_READ_FROM_URL))}."
            )
        if name in options:
            raise InvalidParameterValue(f"The option {name} is given twice, in the URL and beside it.")
        options[name] = read(name, text)
    for name in options:
        if name not in _OPTIONS[url.engine]:
            engines = " or ".join(engine for engine, known in _OPTIONS.items() if name in known)
            raise NotSupportedByEngine(url.engine, f"option {name}", f"It belongs to {engines}.")
    return options


def _text(name: str, text: str) -> str:
    if not text:
        raise InvalidParameterValue(f"The option {name} of the URL is empty.")
    return text


def _seed(name: str, text: str) -> int | str:
    return int(text) if text.isascii() and text.isdecimal() else _text(name, text)


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidParameterValue(f"The option {name} is a number, not {text!r}.") from None


def _flag(name: str, text: str) -> bool:
    if text not in {"true", "false"}:
        raise InvalidParameterValue(f"The option {name} is true or false, not {text!r}.")
    return text == "true"


_OPTIONS = {"memory": _MEMORY, "sqlite": _SQLITE, "aws": _AWS}

_READ_FROM_URL: dict[str, Callable[[str, str], object]] = {
    "account_id": _text,
    "delivery": _text,
    "durability": _text,
    "endpoint_url": _text,
    "profile": _text,
    "region": _text,
    "seed": _seed,
    "sync_interval_ms": _number,
    "wait": _flag,
}
