"""Which stream a Kinesis request means: by name, by ARN, by a consumer's ARN, or by an iterator or token.

An iterator of the core's is opaque, and belongs to one stream.  AWS's GetRecords is asked with nothing but
an iterator, and ListShards with nothing but a token, so here they carry their stream's name.
"""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING

from queuestream.core.arns import parse_arn
from queuestream.core.errors import InvalidArgumentException, ResourceNotFoundException
from queuestream.core.streams.checks import NAME
from queuestream.core.streams.shard import index_of, no_such_shard, shard_not_found

if TYPE_CHECKING:
    from queuestream.aws.calls import Caller, Shape
    from queuestream.core.streams.stream import Stream


def stream_of(caller: Caller, request: Shape) -> Stream:
    """The stream that a request names by StreamName, by StreamARN, or by both.

    Raises:
        InvalidArgumentException: It names none, or two.
        ResourceNotFoundException: There is none.
    """
    name = request.get("StreamName")
    if "StreamARN" not in request:
        # What a put asks: a stream that is there says itself whether it still may be used.
        stream = caller.broker.streams.get(name) if name is not None else None
        if stream is not None:
            return stream
        if name is None:
            raise InvalidArgumentException("Either StreamARN or StreamName must be provided.")
        return caller.broker.stream(name)
    arn = request["StreamARN"]
    if name is not None and name != _stream_name(arn):
        raise InvalidArgumentException(f"StreamName {name} is not that of StreamARN {arn}.")
    return _stream_at(caller, arn)


def shards_stream_of(caller: Caller, request: Shape) -> Stream:
    """The stream whose shard a request names.

    Raises:
        InvalidArgumentException: It names none, or two.
        ResourceNotFoundException: There is none, which AWS says of the shard.
    """
    try:
        return stream_of(caller, request)
    except ResourceNotFoundException:
        raise shard_not_found(request["ShardId"], *_stream_asked_for(caller, request)) from None


def resharded_stream_of(caller: Caller, request: Shape, *shards: str) -> Stream:
    """The stream whose shards a request names to change them, in the given members.

    Raises:
        InvalidArgumentException: It names no stream, or two.
        ResourceNotFoundException: There is none, or a name can't be a shard's, which AWS says first.
    """
    try:
        return stream_of(caller, request)
    except ResourceNotFoundException:
        for member in shards:
            if index_of(request[member]) is None:
                raise no_such_shard(request[member], *_stream_asked_for(caller, request)) from None
        raise


def _stream_asked_for(caller: Caller, request: Shape) -> tuple[str, str]:
    """The name and the account of the stream that a request asks for, whether it is there or not."""
    arn = parse_arn(request["StreamARN"]) if "StreamARN" in request else None
    return (request["StreamName"], caller.broker.account_id) if arn is None else (arn.name, arn.account_id)


def consumers_stream_of(caller: Caller, request: Shape) -> Stream:
    """The stream of the consumer that a request names, by ConsumerARN or by StreamARN and ConsumerName.

    Raises:
        InvalidArgumentException: It names none.
        ResourceNotFoundException: There is none.
    """
    arn = request.get("StreamARN") or request.get("ConsumerARN")
    if arn is None or not ("ConsumerARN" in request or "ConsumerName" in request):
        raise InvalidArgumentException("Either ConsumerARN, or ConsumerName and StreamARN, must be provided.")
    return _stream_at(caller, arn)


def resource_of(caller: Caller, arn: str) -> tuple[Stream, str | None]:
    """The stream that a ResourceARN names, and the consumer's ARN where it is one.

    Raises:
        ResourceNotFoundException: There is no such stream.
    """
    parts = parse_arn(arn)
    if parts is None or not parts.resource.startswith("stream/"):
        raise ResourceNotFoundException(f"Resource {arn} not found.")
    return _stream_at(caller, arn), arn if parts.resource.count("/") > 1 else None


def _stream_at(caller: Caller, arn: str) -> Stream:
    return caller.broker_of_arn(arn).stream_by_arn(arn)


def _stream_name(arn: str) -> str | None:
    parts = parse_arn(arn)
    return None if parts is None else parts.name


# --- texts that carry a stream's name ---


def with_name(text: str, stream_name: str) -> str:
    """An iterator or token of the core's, with the name of its stream at its end."""
    name = stream_name.encode()
    whole = binascii.a2b_base64(text) + name + bytes((len(name),))
    return binascii.b2a_base64(whole, newline=False).decode()


def without_name(caller: Caller, request: Shape, member: str, refusal: str) -> tuple[Stream, str]:
    """The stream that an iterator or token belongs to, and the core's own text.

    Args:
        caller: Who asks.
        request: A StreamARN in it says where the stream is.
        member: Where in the request the text stands.
        refusal: What is said about a text that is none of ours.

    Raises:
        InvalidArgumentException: No text of ours.
        ResourceNotFoundException: The stream is gone.
    """
    try:
        whole = binascii.a2b_base64(request[member], strict_mode=True)
        length = whole[-1] + 1
        name = whole[-length:-1].decode("ascii")
    except (ValueError, IndexError):
        raise InvalidArgumentException(refusal) from None
    text = binascii.b2a_base64(whole[:-length], newline=False).decode()
    if not text or NAME.fullmatch(name) is None:
        raise InvalidArgumentException(refusal)
    if "StreamARN" in request:
        return _stream_at(caller, request["StreamARN"]), text
    return stream_of(caller, {"StreamName": name}), text
