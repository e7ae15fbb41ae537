"""The departures: real events, as the lab and the demo read them."""

import pytest

from queuestream.demo import flights
from queuestream.lab.departures import Departure, departures


def test_the_first_departure_is_the_files_first_line():
    [first] = departures(1)
    assert first == Departure(1_357_017_420_000_000_000, "N14228", "UA1545", "EWR", "IAH", 2)


@pytest.mark.slow
def test_departures_are_in_the_order_in_which_they_happened_and_the_demo_has_the_same():
    all_of_them = departures()
    instants = [each.at_ns for each in all_of_them]
    assert len(all_of_them) == 12_126
    assert instants == sorted(instants)
    assert all_of_them[:100] == departures(100)
    records, broken = flights.read_flights()
    assert broken == []
    assert [(record.at_ns, record.key) for record in records] == [
        (each.at_ns, each.aircraft) for each in all_of_them
    ]
