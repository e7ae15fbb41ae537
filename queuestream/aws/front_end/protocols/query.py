"""The query protocol of SQS, version 2012-11-05: parameters in a form or a query string, answers in XML.

AWS's present model of SQS describes JSON, so what differs in this protocol is said here: the names of lists
and maps, which are flattened (`AttributeName.1`, `Attribute.1.Name`), singular where the model's are plural.

A parameter's name is a path; all parameters together are a tree, which is read by the operation's shape.  The
older way of writing a single entry without its number (`Attribute.Name=…&Attribute.Value=…`) is
understood, too.  Answers in JSON, for those who ask for them, are `query_json`'s.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from queuestream.aws.front_end.blobs import text_of
from queuestream.aws.front_end.errors import SerializationException, UnknownOperationException, wire_error
from queuestream.aws.front_end.http import HttpResponse
from queuestream.aws.front_end.reading import request_reader
from queuestream.aws.models import input_shape, output_shape
from queuestream.core.errors import QueueDoesNotExist

if TYPE_CHECKING:
    from queuestream.aws.calls import Shape
    from queuestream.core.errors import ServiceError

Tree = dict[str, Any]
Reader = Callable[[Any], Any]
Writer = Callable[[str, Any], str]

CONTENT_TYPE = "text/xml"
XML_NAMESPACE = "http://queue.amazonaws.com/doc/2012-11-05/"

_DEPTH_MAX = 8
_PARAMETERS_MAX = 10_000
_INDEX_DIGITS_MAX = 6
_NUMBER = re.compile(r"[+-]?\d{1,20}", re.ASCII)
# What the members of a request or answer are called; lists of structures are called after these.
_NAMES = {
    "AWSAccountIds": "AWSAccountId",
    "Actions": "ActionName",
    "AttributeNames": "AttributeName",
    "Attributes": "Attribute",
    "BinaryListValues": "BinaryListValue",
    "MessageAttributeNames": "MessageAttributeName",
    "MessageAttributes": "MessageAttribute",
    "MessageSystemAttributeNames": "MessageSystemAttributeName",
    "MessageSystemAttributes": "MessageSystemAttribute",
    "QueueUrls": "QueueUrl",
    "StringListValues": "StringListValue",
    "TagKeys": "TagKey",
    "Tags": "Tag",
    "queueUrls": "QueueUrl",
    "tags": "Tag",
}
# What XML cannot say, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPED = re.compile('[&<>"\r]')
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#xD;"}


# --- reading ---------------------------------------------------------------------------------------------


def parameters(query: str, form: bytes) -> dict[str, str]:
    """The parameters behind a question mark and those of a form, by name; the form's go first.

    Raises:
        SerializationException: There are more than any request has.
    """
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=_PARAMETERS_MAX)
        if form:
            pairs += parse_qsl(
                form.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_PARAMETERS_MAX
            )
    except ValueError:
        raise SerializationException from None
    return dict(pairs)


def read(operation: str, given: dict[str, str]) -> Shape:
    """An operation's request.

    Raises:
        SerializationException: A value has another type than its shape.
    """
    return _request_reader(operation)(_tree(given))


def _tree(given: dict[str, str]) -> Tree:
    """Parameters by the parts of their names; where one is a value and a path, it is a path."""
    tree: Tree = {}
    for name, value in given.items():
        *path, last = name.split(".", _DEPTH_MAX)
        branch = tree
        for part in path:
            further = branch.get(part)
            if type(further) is not dict:
                further = branch[part] = {}
            branch = further
        if type(branch.get(last)) is not dict:
            branch[last] = value
    return tree


@cache
def _request_reader(operation: str) -> Callable[[Tree], Shape]:
    shape = input_shape("sqs", operation)
    untyped = _structure_reader(shape)
    typed = request_reader("sqs", operation)
    return lambda tree: typed(untyped(tree))


def _structure_reader(shape: Any) -> Reader:
    readers: dict[str, tuple[str, Reader]] = {}
    for member, of in shape.members.items():
        reader = _reader(of)
        readers[_name(member, of)] = (member, reader)
        readers.setdefault(member, (member, reader))  # as botocore has written `Tags.1.Key`

    def read_structure(tree: Any) -> Shape:
        if type(tree) is not dict:
            raise SerializationException("Expected null")
        request: Shape = {}
        for name, given in tree.items():
            if found := readers.get(name):
                value = found[1](given)
                if value is not None:
                    request[found[0]] = value
        return request

    return read_structure


def _reader(shape: Any) -> Reader:
    kind = shape.type_name
    if kind == "structure":
        return _structure_reader(shape)
    if kind == "list":
        return _list_reader(_reader(shape.member))
    if kind == "map":
        return _map_reader(*entry_names(shape), _reader(shape.value))
    return _integer if kind == "integer" else _text


def _list_reader(reader: Reader) -> Reader:
    def read_list(given: Any) -> list[Any]:
        if type(given) is not dict:
            return [reader(given)] if given else []  # no number at all; an empty list is an empty parameter
        return [reader(member) for member in _in_order(given)]

    return read_list


def _map_reader(key: str, value: str, reader: Reader) -> Reader:
    def read_map(given: Any) -> Shape:
        if type(given) is not dict:
            if given:
                raise SerializationException("Expected map or null")
            return {}
        entries = [given] if key in given else _in_order(given)
        read: Shape = {}
        for entry in entries:
            if type(entry) is not dict:
                raise SerializationException("Expected map or null")
            name = entry.get(key)
            if type(name) is str and value in entry:
                read[name] = reader(entry[value])
        return read

    return read_map


def _in_order(given: Tree) -> list[Any]:
    """The members of a list in the order of their numbers, which need not be without gaps."""
    numbered = [
        (int(number), member)
        for number, member in given.items()
        if number.isascii() and number.isdecimal() and len(number) <= _INDEX_DIGITS_MAX
    ]
    return [member for _, member in sorted(numbered, key=lambda pair: pair[0])]


def _text(given: Any) -> str:
    if type(given) is not str:
        raise SerializationException("Start of structure or map found where not expected.")
    return given


def _integer(given: Any) -> int | str | None:
    """A number; as text where it is none, to be refused for its type as everywhere."""
    text = _text(given)
    if not text:
        return None
    return int(text) if _NUMBER.fullmatch(text) else text


def _name(member: str, shape: Any) -> str:
    if shape.type_name == "list" and shape.member.type_name == "structure":
        return str(shape.member.name)
    return _NAMES.get(member, member)


def entry_names(shape: Any) -> tuple[str, str]:
    """What a map's keys and values are called in this protocol."""
    return ("Key", "Value") if shape.key.name == "TagKey" else ("Name", "Value")


# --- writing ---------------------------------------------------------------------------------------------


def answer(service: str, operation: str, answer: Shape | None, request_id: str) -> HttpResponse:  # noqa: ARG001 - as every protocol
    """An operation's answer."""
    result = _result_writer(operation)(f"{operation}Result", answer or {})
    return _document(
        200,
        request_id,
        f'<{operation}Response xmlns="{XML_NAMESPACE}">{result}'
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>",
    )


def refusal(service: str, error: ServiceError, request_id: str) -> HttpResponse:  # noqa: ARG001 - as every protocol
    """An error; where not even an operation is named, AWS's framework answers by itself."""
    if isinstance(error, UnknownOperationException) and error.action is None:
        return unaddressed(404, "UnknownOperationException", None, request_id)
    wire = wire_error("sqs", error)
    return _document(
        wire.status,
        request_id,
        f'<ErrorResponse xmlns="{XML_NAMESPACE}"><Error><Type>{wire.fault}</Type>'
        f"<Code>{_escape(wire.query_code)}</Code><Message>{_escape(message_of(error))}</Message><Detail/></Error>"
        f"<RequestId>{request_id}</RequestId></ErrorResponse>",
    )


def message_of(error: ServiceError) -> str:
    """An error's sentence; this protocol has kept the words of the time when there was a WSDL."""
    if isinstance(error, QueueDoesNotExist):
        return "The specified queue does not exist for this wsdl version."
    return error.message


def unaddressed(status: int, name: str, message: str | None, request_id: str) -> HttpResponse:
    """What AWS says to a request in no protocol that it knows."""
    said = f"<{name}/>\n" if message is None else f"<{name}>\n  <Message>{message}</Message>\n</{name}>\n"
    return HttpResponse(status, {"x-amzn-requestid": request_id}, said.encode())


def _document(status: int, request_id: str, content: str) -> HttpResponse:
    headers = {"x-amzn-requestid": request_id, "content-type": CONTENT_TYPE}
    return HttpResponse(status, headers, f'<?xml version="1.0"?>{content}'.encode())


@cache
def _result_writer(operation: str) -> Writer:
    shape = output_shape("sqs", operation)
    return _nothing if shape is None else _structure_writer(shape)


def _nothing(name: str, value: Any) -> str:  # noqa: ARG001 - a writer
    return ""


def _structure_writer(shape: Any) -> Writer:
    writers = {member: (_name(member, of), _writer(of)) for member, of in shape.members.items()}

    def write(name: str, value: Any) -> str:
        inner = "".join(
            [writer(called, value[member]) for member, (called, writer) in writers.items() if member in value]
        )
        return f"<{name}>{inner}</{name}>" if inner else f"<{name}/>"

    return write


def _writer(shape: Any) -> Writer:
    kind = shape.type_name
    if kind == "structure":
        return _structure_writer(shape)
    if kind == "list":
        member = _writer(shape.member)
        return lambda name, value: "".join([member(name, one) for one in value])
    if kind == "map":
        key, called = entry_names(shape)
        of_value = _writer(shape.value)
        return lambda name, value: "".join(
            [
                f"<{name}><{key}>{_escape(one)}</{key}>{of_value(called, given)}</{name}>"
                for one, given in value.items()
            ]
        )
    return _WRITERS[kind]


def _write_text(name: str, value: Any) -> str:
    return f"<{name}>{_escape(value)}</{name}>"


def _write_number(name: str, value: Any) -> str:
    return f"<{name}>{value}</{name}>"


def _write_boolean(name: str, value: Any) -> str:
    return f"<{name}>{'true' if value else 'false'}</{name}>"


def _write_blob(name: str, value: Any) -> str:
    return f"<{name}>{text_of(value)}</{name}>"


_WRITERS: dict[str, Writer] = {
    "string": _write_text,
    "integer": _write_number,
    "long": _write_number,
    "boolean": _write_boolean,
    "blob": _write_blob,
}


def _escape(text: str) -> str:
    """Text as XML; a carriage return is escaped, since a reader would take it for the end of a line."""
    return _ESCAPED.sub(lambda found: _ESCAPES[found[0]], _NOT_XML.sub("�", text))
