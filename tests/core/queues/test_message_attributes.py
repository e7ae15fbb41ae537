"""What a message carries: the character set, the attributes, their limits and digests."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queuestream.core.errors import (
    InvalidMessageContents,
    InvalidParameterValue,
    MissingParameter,
    QueuestreamError,
)
from queuestream.core.queues.limits import QueueLimits
from queuestream.core.queues.message_attributes import (
    MessageAttribute,
    check_attribute_names,
    check_body,
    check_message_attributes,
    check_system_attributes,
    md5_of_attributes,
    md5_of_trace_header,
    select,
    size_of,
)

TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


def refusal(given_attributes, error=InvalidParameterValue):
    with pytest.raises(error) as refused:
        check_message_attributes(given_attributes)
    return refused.value.message


# --- bodies -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "a",
        "tab\tline\nreturn\r",
        " ",
        "\x7f\x80\x9f",
        "\ud7ff\ue000\ufffd",
        "\U00010000\U0010ffff",
        "\ufeffbom",
        "é☃🙂",
    ],
)
def test_a_body_is_any_text_that_xml_can_hold(body):
    assert check_body(body) == body.encode()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("\0", "#x0"),
        ("ok \x08", "#x8"),
        ("\x0b", "#xB"),
        ("\x0c", "#xC"),
        ("\x0e", "#xE"),
        ("é\x1f", "#x1F"),
        ("a\ud800", "#xD800"),
        ("\udfff", "#xDFFF"),
        ("\ufffe", "#xFFFE"),
        ("é\uffff", "#xFFFF"),
    ],
)
def test_any_other_character_is_refused_in_awss_words(body, code):
    with pytest.raises(InvalidMessageContents) as refused:
        check_body(body)
    assert refused.value.message == (
        f"Invalid binary character '{code}' was found in the message body, the set of allowed characters is "
        "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
    )


@pytest.mark.parametrize("body", [None, ""])
def test_a_message_has_a_body(body):
    with pytest.raises(MissingParameter) as refused:
        check_body(body)
    assert refused.value.message == "The request must contain the parameter MessageBody."


@pytest.mark.parametrize("body", [b"bytes", 5, True, {}, []])
def test_a_body_is_text(body):
    with pytest.raises(InvalidParameterValue, match="MessageBody"):
        check_body(body)


@given(st.text(st.characters(), max_size=20))
def test_the_character_set_is_the_one_of_the_api_reference(body):
    allowed = all(
        char in "\t\n\r" or " " <= char <= "\ud7ff" or "\ue000" <= char <= "\ufffd" or char >= "\U00010000"
        for char in body
    )
    try:
        check_body(body)
    except MissingParameter:
        assert not body
    except InvalidMessageContents:
        assert not allowed
    else:
        assert allowed


# --- attributes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("nothing", [None, {}])
def test_a_message_may_have_no_attributes(nothing):
    assert check_message_attributes(nothing) is None


def test_plain_values_get_awss_types():
    given_attributes = {
        "text": "welcome",
        "whole": -3,
        "part": 1.5,
        "exact": Decimal("0.10"),
        "raw": b"\0\xff",
        "array": bytearray(b"ab"),
        "custom": MessageAttribute("Number.float", "1.5"),
        "image": MessageAttribute("Binary.png", bytearray(b"png")),
    }
    assert check_message_attributes(given_attributes) == {
        "text": MessageAttribute("String", "welcome"),
        "whole": MessageAttribute("Number", "-3"),
        "part": MessageAttribute("Number", "1.5"),
        "exact": MessageAttribute("Number", "0.10"),
        "raw": MessageAttribute("Binary", b"\0\xff"),
        "array": MessageAttribute("Binary", b"ab"),
        "custom": MessageAttribute("Number.float", "1.5"),
        "image": MessageAttribute("Binary.png", b"png"),
    }


@pytest.mark.parametrize("value", [None, True, [], {}, object()])
def test_a_value_of_no_type_of_awss_is_refused(value):
    assert refusal({"n": value}).startswith(
        "The message (user) attribute 'n' must contain a non-empty message attribute value. Give text,"
    )


@pytest.mark.parametrize("given_attributes", [5, "text", ["a"], True])
def test_attributes_are_a_mapping(given_attributes):
    assert "MessageAttributes" in refusal(given_attributes)


def test_a_message_has_ten_attributes_at_most():
    assert len(check_message_attributes({f"n{i}": "x" for i in range(10)})) == 10
    assert refusal({f"n{i}": "x" for i in range(11)}) == (
        "Number of message attributes [11] exceeds the allowed maximum [10]."
    )
    with pytest.raises(InvalidParameterValue, match=r"\[2\] exceeds the allowed maximum \[1\]"):
        check_message_attributes({"a": "x", "b": "x"}, QueueLimits(message_attributes_max=1))


@pytest.mark.parametrize("name", ["a", "A-Z_a.z.09", "x" * 256, "AWSome", "amazonas", "a.aws.b", "attr.1øßä"])
def test_a_name_is_letters_digits_hyphens_underscores_and_periods(name):
    assert name in check_message_attributes({name: "x"})


@pytest.mark.parametrize("name", ["", None, 5, b"a", ("a",)])
def test_a_name_is_text_and_not_empty(name):
    assert refusal({name: "x"}) == "The request must contain non-empty message (user) attribute names."


@pytest.mark.parametrize("name", ["a b", "§", "a\n", "a/b", "\ud800"])
def test_a_name_holds_no_other_characters(name):
    assert "Attribute name can contain A-Z, a-z, 0-9, underscore (_), hyphen (-)" in refusal({name: "x"})


@pytest.mark.parametrize("name", [".a", "a.", "a..b", "."])
def test_a_name_has_its_periods_one_by_one_and_inside(name):
    assert "must not start or end with a period" in refusal({name: "x"})


def test_a_name_has_256_characters_at_most():
    assert refusal({"x" * 257: "x"}) == "Message (user) attribute name must be shorter than 256 bytes."


@pytest.mark.parametrize("name", ["AWS.a", "aws.a", "Amazon.a", "aMaZoN.a"])
def test_some_names_are_awss_own(name):
    assert refusal({name: "x"}) == (
        "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. "
        "These strings are reserved for internal use."
    )


@pytest.mark.parametrize("data_type", ["String", "String.é", "Number.int", "Binary.", "String." + "x" * 249])
def test_a_data_type_is_one_of_three_with_a_label_or_without(data_type):
    value = b"1" if data_type.startswith("Binary") else "1"
    assert check_message_attributes({"n": MessageAttribute(data_type, value)})["n"].data_type == data_type


@pytest.mark.parametrize("data_type", ["Strings", "string", "Text", ".String", "StringList"])
def test_any_other_data_type_is_refused(data_type):
    assert refusal({"n": MessageAttribute(data_type, "x")}) == (
        "The type of message (user) attribute 'n' is invalid. You must use only the following "
        "supported type prefixes: Binary, Number, String."
    )


@pytest.mark.parametrize("data_type", ["", None, 5, b"String"])
def test_a_data_type_is_text_and_not_empty(data_type):
    assert "must contain a non-empty message attribute type" in refusal(
        {"n": MessageAttribute(data_type, "x")}
    )


def test_a_data_type_has_256_bytes_at_most():
    too_long = MessageAttribute("String." + "x" * 250, "x")
    assert refusal({"n": too_long}) == "Message (user) attribute type must be shorter than 256 bytes."


@pytest.mark.parametrize(
    ("attribute", "kind"),
    [
        (MessageAttribute("String", ""), "String"),
        (MessageAttribute("String.a", b"bytes"), "String"),
        (MessageAttribute("Number", 5), "Number"),
        (MessageAttribute("Binary", b""), "Binary"),
        (MessageAttribute("Binary", "text"), "Binary"),
        (MessageAttribute("Binary", None), "Binary"),
        ("", "String"),
        (b"", "Binary"),
    ],
)
def test_a_value_is_of_its_type_and_not_empty(attribute, kind):
    assert refusal({"n": attribute}) == (
        f"Message (user) attribute 'n' must contain a non-empty value of type '{kind}'."
    )


def test_text_in_attributes_is_of_the_same_character_set_as_bodies():
    assert "'#x0' was found in the message attribute 'n'" in refusal({"n": "\0"})
    assert "'#xD800' was found" in refusal({"n": MessageAttribute("String.\ud800", "x")})


@pytest.mark.parametrize(
    "number",
    [
        "0",
        "-0.0",
        "+5",
        "5.",
        ".5",
        "1e10",
        "1E-10",
        "007",
        "9" * 38,
        "0.000" + "1" * 38,
        "1" + "0" * 126,
        "1e126",
        "-1e126",
        "9.9e125",
        "1e-128",
        "0." + "0" * 127 + "1",
        "0e9999",
    ],
)
def test_a_number_has_38_digits_at_most_and_lies_between_awss_bounds(number):
    assert check_message_attributes({"n": MessageAttribute("Number", number)})["n"].value == number


@pytest.mark.parametrize(
    "number",
    [
        "world",
        "",
        ".",
        "-",
        "1 ",
        " 1",
        "1,5",
        "0x10",
        "1e",
        "e5",
        "--1",
        "NaN",
        "Infinity",
        "٣",
        "1_000",
        "9" * 39,
        "1." + "0" * 37 + "1",
        "1.1e126",
        "2e126",
        "1e127",
        "9e-129",
        "0." + "0" * 128 + "1",
        "1e99999",
    ],
)
def test_anything_else_is_no_number(number):
    sentence = refusal({"n": MessageAttribute("Number", number)})
    if number:
        assert sentence == "Can't cast the value of message (user) attribute 'n' to a number."


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), Decimal("sNaN"), 10**40 + 1, pytest.param(10**5000, id="huge")]
)
def test_a_python_number_keeps_awss_bounds_too(value):
    with pytest.raises(InvalidParameterValue, match="Can't cast"):
        check_message_attributes({"n": value})


# --- digests and sizes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attributes", "digest"),
    [
        # Answers of Amazon SQS itself, as recorded by those who compared with it.
        ({"Foo": "Bar"}, "ae7155c6026991b6d54b11589678bf9c"),
        ({"Hello": "There"}, "a311262e065454b75da111d535b8dacd"),
        ({"Hello": "There", "General": "Kenobi"}, "fca026605781cb4126a1e9044df24232"),
        ({"Help.Me": "Me", "Hello": "There"}, "83fee93c1bcd8b9a5a923ffacdc636c7"),
        ({"Help.Me": "Me", "Hello": "There", "General": "Kenobi"}, "4c360f3fdafd970e05fae2f149d997f5"),
        (
            {"attr1": b"traceparent\x1e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01"},
            "8cbe4db156db8a94db8b801b7addb984",
        ),
        (
            {"UserId": MessageAttribute("Number.bigint", "1234567890123456789012")},
            "797ab158d73dcb5242dedc4412c8e855",
        ),
        ({"Hello": "World"}, "7db7fb1ba7f41366a8ea5eb18220b26d"),
        ({"attrib1": "2345", "attrib2": "true"}, "c92eae09ef2c14cd949cc265ebc9cb50"),
    ],
)
def test_the_digest_is_awss(attributes, digest):
    assert md5_of_attributes(check_message_attributes(attributes)) == digest


def test_the_digest_of_the_system_attributes_is_made_in_the_same_way():
    assert md5_of_trace_header("some-trace-id") == "fdce4f2818803f2f73becc09a54792c0"


def test_the_size_is_names_types_and_values_in_bytes():
    attributes = check_message_attributes({"ne": "é", "b": b"123", "n": 15})
    assert size_of(attributes) == len("ne") + len("String") + 2 + len("b") + len("Binary") + 3 + len(
        "nNumber15"
    )
    assert size_of({"a": MessageAttribute("String.é", "x")}) == 1 + 9 + 1


# --- the system attribute ------------------------------------------------------------------------------


@pytest.mark.parametrize("nothing", [None, {}])
def test_a_message_may_have_no_system_attribute(nothing):
    assert check_system_attributes(nothing) is None


@pytest.mark.parametrize(
    "header",
    [
        TRACE,
        "Root=1-5759e988-bd862e3fe1be46a994272793",
        "Root=1-678e1f8b2-1234567890abcdef12345678",  # nine digits: SQS counts the last ones only
        "Parent=53995c3f42cd8ad8; Sampled=?; Root=1-5759e988-BD862e3fe1be46a994272793",
        TRACE + ";Lineage=a87bd80c:1|68fd508a:5;Self=1-67891234-12456789abcdef012345678",
    ],
)
def test_a_trace_header_is_kept(header):
    assert check_system_attributes({"AWSTraceHeader": header}) == header
    assert check_system_attributes({"AWSTraceHeader": MessageAttribute("String", header)}) == header


@pytest.mark.parametrize(
    "header",
    [
        "",
        "some-trace-id",
        "Root=",
        "Root=1-5759e988",
        TRACE + ";",
        TRACE + ";=x",
        TRACE + ";x=",
        "Sampled=1",
        TRACE + "0",
    ],
)
def test_what_is_no_trace_header_is_refused(header):
    with pytest.raises(InvalidParameterValue, match="X-Ray trace header"):
        check_system_attributes({"AWSTraceHeader": header})


@pytest.mark.parametrize(
    "value", [None, 5, b"x", MessageAttribute("Number", "1"), MessageAttribute("String", b"x")]
)
def test_a_trace_header_is_text(value):
    with pytest.raises(InvalidParameterValue, match="The type of message system attribute 'AWSTraceHeader'"):
        check_system_attributes({"AWSTraceHeader": value})


def test_there_is_no_other_system_attribute():
    for name in ("Hello", 5, None):
        with pytest.raises(InvalidParameterValue) as refused:
            check_system_attributes({"AWSTraceHeader": TRACE, name: "World"})
        assert refused.value.message == f"Message system attribute name '{name}' is invalid."


@pytest.mark.parametrize("given_attributes", [5, TRACE, ["AWSTraceHeader"]])
def test_system_attributes_are_a_mapping(given_attributes):
    with pytest.raises(InvalidParameterValue, match="MessageSystemAttributes"):
        check_system_attributes(given_attributes)


# --- selection --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "selected"),
    [
        ([], []),
        (["All"], ["General", "Hello", "Help.Me"]),
        ([".*"], ["General", "Hello", "Help.Me"]),
        (["*"], ["General", "Hello", "Help.Me"]),
        (["Foo", "Bar"], []),
        (["Hello", "General"], ["General", "Hello"]),
        (["Hello", "Foo"], ["Hello"]),
        (["Hel.*"], ["Hello", "Help.Me"]),
        (["Help.*", "General"], ["General", "Help.Me"]),
        (["Help.Me.*"], ["Help.Me"]),
        (["hello", "AWS.", "not allowed"], []),
    ],
)
def test_attributes_are_selected_by_name_prefix_or_all(names, selected):
    attributes = check_message_attributes({"General": "Kenobi", "Hello": "There", "Help.Me": "Me"})
    assert list(select(attributes, check_attribute_names(names))) == selected


def test_a_selection_is_the_receivers_own():
    attributes = check_message_attributes({"a": "x"})
    select(attributes, ("All",)).clear()
    assert list(attributes) == ["a"]


@pytest.mark.parametrize("names", ["All", None, 5, [5], [None], {"a": 1}])
def test_names_come_as_a_list(names):
    with pytest.raises(InvalidParameterValue, match="MessageAttributeNames"):
        check_attribute_names(names)


# --- anything at all ------------------------------------------------------------------------------------

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.binary(max_size=8),
    st.text(st.characters(), max_size=8),
    st.lists(st.none(), max_size=2),
)
ATTRIBUTES = st.one_of(
    VALUES,
    st.builds(MessageAttribute, st.one_of(st.sampled_from(["String", "Number", "Binary.x"]), VALUES), VALUES),
)
NAMES = st.one_of(st.sampled_from(["a", "b.c", "AWSTraceHeader"]), st.text(max_size=5), st.integers())


@given(st.one_of(VALUES, st.dictionaries(NAMES, ATTRIBUTES, max_size=4)))
def test_whatever_is_given_is_taken_or_refused_but_nothing_else(given_attributes):
    for check in (check_message_attributes, check_system_attributes, check_attribute_names, check_body):
        try:
            taken = check(given_attributes)
        except QueuestreamError as refused:
            str(refused).encode()
        else:
            if check is check_message_attributes and taken:
                assert len(md5_of_attributes(taken)) == 32
                assert size_of(taken) > 0
                assert check_message_attributes(taken) == taken
