"""Pictures have the data on their axes, say what they show, and are the same bytes each time."""

import struct

import matplotlib as mpl
import pytest
from made_histories import a_queue, a_stream

from queuestream.lab.report import lane_plots, order_plots, side_by_side, style, waiting_plots
from queuestream.lab.report.deliveries import flows_of
from queuestream.lab.report.pictures import Picture, pictures_of
from queuestream.lab.report.side_by_side import Column


@pytest.fixture(scope="module")
def orders():
    [flow] = flows_of(a_queue(60, disorder=0.3, repeats=0.05, lost=0.03))
    return flow


@pytest.fixture(autouse=True)
def _as_when_drawing():
    with style.drawing():
        yield


def points(axes):
    """The places of all dots."""
    return sorted(
        (round(x), round(y))
        for dots in axes.collections
        if len(dots.get_offsets())
        for x, y in dots.get_offsets()
    )


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_each_delivery_is_a_dot_at_its_places(orders):
    figure = order_plots.places(orders)
    assert points(figure.axes[0]) == sorted((one.sent, one.received) for one in orders.deliveries)
    late = sum(one.is_late for one in orders.deliveries)
    assert late > 5
    assert f"late ({late})" in legend(figure)
    assert f"never received ({len(orders.lost)})" in legend(figure)


def test_of_many_messages_near_their_places_the_distance_is_drawn():
    [flow] = flows_of(a_queue(600, disorder=0.05))
    figure = order_plots.places(flow)
    assert points(figure.axes[0]) == sorted((one.sent, one.received - one.sent) for one in flow.deliveries)
    assert "places late" in figure.axes[0].get_ylabel()


def test_bars_are_the_shares_of_messages_that_came_so_far_from_their_place(orders):
    axes = order_plots.displacement(orders).axes[0]
    assert sum(bar.get_height() for bar in axes.patches) == pytest.approx(100)
    assert max(bar.get_x() + bar.get_width() / 2 for bar in axes.patches) > 5


def test_order_is_a_single_bar():
    [flow] = flows_of(a_queue(20, consumers=1, keys=1, in_key_order=True))
    flow.deliveries.sort(key=lambda one: one.sent)
    for place, one in enumerate(flow.deliveries):
        one.received = place
    axes = order_plots.displacement(flow).axes[0]
    assert {bar.get_height() for bar in axes.patches} <= {100, 0}


def test_a_consumers_lane_has_a_bar_for_each_message_it_was_done_with(orders):
    figure = lane_plots.consumer_lanes(orders)
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "consumer-1",
        "consumer-2",
        "consumer-3",
    ]
    assert len(axes.collections[0].get_paths()) == len(orders.deliveries)
    assert legend(figure)[:4] == ["key-0", "key-1", "key-2", "key-3"]


def test_of_very_many_deliveries_the_stretch_with_the_most_disorder_is_shown():
    [flow] = flows_of(a_queue(1_000))
    for one in flow.deliveries[700:720]:
        one.is_late_in_key = True
    begin, end = lane_plots.stretch(flow.deliveries)
    assert end - begin == lane_plots.BARS_MAX
    assert begin <= 700
    assert end >= 720


def test_the_lanes_of_keys_and_shards_have_a_dot_for_each_delivery():
    [flow] = flows_of(a_stream(60))
    for by, rows in (("key", ["key-0", "key-1", "key-2", "key-3"]), ("shard", ["shard 0", "shard 1"])):
        axes = lane_plots.lanes(flow, by).axes[0]
        assert [label.get_text() for label in axes.get_yticklabels()] == rows
        assert len(points(axes)) == 60


def test_rows_that_have_no_room_are_those_with_the_least_disorder():
    [flow] = flows_of(a_queue(200, keys=40))
    for one in flow.deliveries:
        one.is_late_in_key = one.key == "key-39"
    axes = lane_plots.lanes(flow, "key").axes[0]
    rows = [label.get_text() for label in axes.get_yticklabels()]
    assert len(rows) == lane_plots.LANES_MAX
    assert rows[-1] == "key-39"


def test_a_curve_of_waits_ends_where_all_had_been_received(orders):
    figure = waiting_plots.dwell(orders)
    [*curves] = figure.axes[0].lines
    assert len(curves) == 4
    assert all(curve.get_ydata()[-1] == 100 for curve in curves)
    longest = max(one.received_ns - one.sent_ns for one in orders.firsts) / 1e9
    assert max(curve.get_xdata()[-1] for curve in curves) == pytest.approx(longest)


def test_the_backlog_is_what_was_sent_and_not_received():
    [flow] = flows_of(a_queue(3))
    times, waiting = waiting_plots.backlog_of(flow)
    assert waiting == [1, 2, 3, 2, 1, 0]
    assert times == sorted(times)


def test_columns_have_the_same_colour_for_the_same_key():
    queue, stream = flows_of(a_queue(40))[0], flows_of(a_stream(40))[0]
    figure = side_by_side.side_by_side([Column("Queue", queue), Column("Stream", stream)])
    assert [axes.get_title(loc="left") for axes in figure.axes[:2]] == ["Queue", "Stream"]
    colours = side_by_side.colours_of_all([Column("Queue", queue), Column("Stream", stream)])
    assert list(colours) == ["key-0", "key-1", "key-2", "key-3"]
    assert len(points(figure.axes[0])) == len(points(figure.axes[1])) == 40


def test_where_work_takes_no_time_there_is_nothing_below():
    queue, stream = flows_of(a_queue(40))[0], flows_of(a_stream(40))[0]
    both = side_by_side.side_by_side([Column("Queue", queue), Column("Stream", stream)])
    assert len(both.axes) == 4
    for one in stream.deliveries:
        one.done_ns = None
    assert len(side_by_side.side_by_side([Column("Stream", stream), Column("Stream", stream)]).axes) == 2


def test_columns_are_called_by_their_kind_unless_several_are_of_a_kind():
    queue, stream = flows_of(a_queue(5))[0], flows_of(a_stream(5))[0]
    assert [column.title for column in side_by_side.columns_of([queue, stream])] == [
        "Standard queue",
        "Stream",
    ]
    assert [column.title for column in side_by_side.columns_of([queue, queue])] == [queue.name, queue.name]


def test_perfect_order_has_an_axis_with_whole_places():
    [flow] = flows_of(a_queue(600, consumers=1, keys=1, in_key_order=True))
    for one in flow.deliveries:
        one.received = one.sent
    axes = order_plots.places(flow).axes[0]
    assert axes.get_ylim() == (-2.2, 2.2)


@pytest.mark.parametrize("picture_format", [pytest.param("png", marks=pytest.mark.slow), "svg"])
def test_a_picture_is_the_same_bytes_each_time(picture_format):
    def drawn():
        picture = pictures_of(a_queue(30, disorder=0.3))[0]
        return picture.to_bytes(picture_format)

    assert drawn() == drawn()


def test_what_a_user_has_configured_changes_no_picture_and_stays(orders):
    picture = Picture("backlog", "", lambda: waiting_plots.backlog(orders))
    with mpl.rc_context({"font.size": 20, "svg.hashsalt": "mine"}):
        drawn = picture.to_bytes("svg")
        assert mpl.rcParams["font.size"] == 20
    assert picture.to_bytes("svg") == drawn


@pytest.mark.slow
@pytest.mark.parametrize("messages", [1, 100_000])
def test_any_number_of_messages_can_be_drawn(messages):
    for picture in pictures_of(a_queue(messages, keys=9, consumers=20, disorder=0.1, repeats=0.01)):
        files = picture.to_files(("svg", "png"))
        png, svg = files["png"], files["svg"]
        width, height = struct.unpack(">II", png[16:24])
        assert 500 < width < 2_000
        assert 300 < height < 1_600
        assert len(png) < 150_000, picture.name
        assert len(svg) < 500_000, picture.name
