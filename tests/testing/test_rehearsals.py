"""Handlers that get their messages twice, late and in any order."""

import asyncio

import pytest

from queuestream.core.clock import SECOND
from queuestream.testing import assert_idempotent, assert_order_does_not_matter

PEOPLE = ["ada", "bob", "eve"]


def pay(accounts, message):
    accounts[message.body] = accounts.get(message.body, 0) + 10


def pay_once(accounts, message):
    accounts.setdefault(message.body, 10)


def keep_last(state, message):
    state["last"] = message.body


def test_a_handler_that_does_it_once_passes():
    assert_idempotent(pay_once, PEOPLE, fresh=dict, seeds=30)


def test_a_handler_that_does_it_again_is_told_delivery_by_delivery():
    with pytest.raises(AssertionError) as failed:
        assert_idempotent(pay, PEOPLE, fresh=dict, seeds=10)

    text = str(failed.value)
    assert text.startswith("pay is not idempotent: ")
    assert "once and in order: {'ada': 10, 'bob': 10, 'eve': 10}" in text
    assert "seeds have another outcome" in text
    assert "(receive 2)" in text


def test_the_seed_that_is_told_fails_again():
    with pytest.raises(AssertionError) as failed:
        assert_idempotent(pay, PEOPLE, fresh=dict, seeds=10)
    seed = int(str(failed.value).partition("seeds=[")[2].partition("]")[0])

    with pytest.raises(AssertionError, match=rf"1 of 1 seeds.*\n.*\n  seed {seed}:") as again:
        assert_idempotent(pay, PEOPLE, fresh=dict, seeds=[seed])
    assert str(again.value).splitlines()[1:] == str(failed.value).splitlines()[1:]


def test_copies_alone_are_found_and_stops_alone_are_found():
    with pytest.raises(AssertionError):
        assert_idempotent(pay, PEOPLE, fresh=dict, seeds=20, stops=0)
    with pytest.raises(AssertionError, match="stopped before the delete"):
        assert_idempotent(pay, PEOPLE, fresh=dict, seeds=20, delivery="strict")
    assert_idempotent(pay, PEOPLE, fresh=dict, seeds=20, delivery="strict", stops=0)


def test_on_a_fifo_queue_only_workers_who_stop_repeat_a_message():
    attributes = {"fifo_queue": True, "visibility_timeout": 30}
    assert_idempotent(pay, PEOPLE, fresh=dict, seeds=20, delivery="adversarial", stops=0, **attributes)
    with pytest.raises(AssertionError, match="stopped before the delete"):
        assert_idempotent(pay, PEOPLE, fresh=dict, seeds=20, **attributes)


def test_a_race_in_an_async_handler_is_found():
    async def check_then_act(accounts, message):
        if message.body not in accounts.get("seen", ()):
            await asyncio.sleep(1)
            accounts["paid"] = accounts.get("paid", 0) + 10
            accounts["seen"] = [*accounts.get("seen", ()), message.body]

    paid = {"fresh": dict, "outcome": lambda accounts: accounts["paid"], "stops": 0}
    with pytest.raises(AssertionError, match="check_then_act is not idempotent"):
        assert_idempotent(check_then_act, PEOPLE, seeds=50, **paid)
    assert_idempotent(check_then_act, PEOPLE, seeds=20, delivery="strict", **paid)


def test_what_a_handler_raises_now_and_then_means_that_the_message_comes_again():
    def first_half_then_the_other(state, message):
        state.setdefault("half", []).append(message.body)
        if len(state["half"]) == 2:
            raise ConnectionError
        state.setdefault("done", set()).add(message.body)

    # With every message once, the second one is never tried again: what raises there is the caller's to see.
    with pytest.raises(ConnectionError):
        assert_idempotent(first_half_then_the_other, PEOPLE, fresh=dict, seeds=3)


def test_a_handler_that_raises_only_for_repeats_ends_the_rehearsals_after_ten_tries():
    def refuse_repeats(state, message):
        if message.body in state:
            raise KeyError(message.body)
        state.add(message.body)

    with pytest.raises(KeyError):
        assert_idempotent(refuse_repeats, PEOPLE, fresh=set, seeds=20)


def test_a_handler_that_keeps_the_last_one_depends_on_the_order():
    with pytest.raises(AssertionError, match="keep_last depends on the order"):
        assert_order_does_not_matter(keep_last, PEOPLE, fresh=dict, seeds=30)
    assert_order_does_not_matter(pay, PEOPLE, fresh=dict, seeds=30)


def test_what_is_compared_may_be_asked_of_the_state():
    class Account:
        def __init__(self):
            self.balance = 0

        def pay(self, message):
            self.balance += 10

    with pytest.raises(TypeError, match="say what to compare"):
        assert_idempotent(Account.pay, PEOPLE, fresh=Account, seeds=1)
    with pytest.raises(AssertionError, match="once and in order: 30"):
        assert_idempotent(
            Account.pay, PEOPLE, fresh=Account, outcome=lambda account: account.balance, seeds=10
        )


@pytest.mark.parametrize("wrong", [{"workers": 0}, {"stops": 1}, {"stops": -0.1}])
def test_conditions_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match="must be"):
        assert_idempotent(pay, PEOPLE, fresh=dict, **wrong)


def test_a_state_that_all_rehearsals_share_is_not_compared_with_itself():
    database = {}

    def emptied():
        database.clear()
        return database

    with pytest.raises(AssertionError, match="pay is not idempotent") as failed:
        assert_idempotent(pay, PEOPLE, fresh=emptied, seeds=20)
    assert "once and in order: {'ada': 10, 'bob': 10, 'eve': 10}" in str(failed.value)
    assert "20" in str(failed.value).splitlines()[2]


def pay_once_by_id(accounts, message):
    if message.message_id not in accounts.setdefault("done", set()):
        accounts["done"].add(message.message_id)
        pay(accounts, message)


SEEN = set()


def pay_once_in_this_process(accounts, message):
    if message.body not in SEEN:
        SEEN.add(message.body)
        pay(accounts, message)


@pytest.mark.parametrize("handler", [pay_once_by_id, pay_once_in_this_process])
def test_an_outcome_that_is_another_one_each_time_is_not_blamed_on_repeats(handler):
    SEEN.clear()
    with pytest.raises(AssertionError, match="has another outcome each time") as failed:
        assert_idempotent(handler, PEOPLE, fresh=dict, seeds=5)
    assert "not idempotent" not in str(failed.value)
    assert "outcome=" in str(failed.value)


def test_a_handler_that_never_ends_ends_the_rehearsal(monkeypatch):
    monkeypatch.setattr("queuestream.testing.rehearsals._HANDLING_MAX_NS", 600 * SECOND)

    async def wait_for_nobody(state, message):
        if message.receive_count > 1:
            await asyncio.Event().wait()

    with pytest.raises(AssertionError, match="wait_for_nobody does not end") as failed:
        assert_idempotent(wait_for_nobody, PEOPLE, fresh=dict, seeds=5)
    assert "does the same again" in failed.value.__notes__[0]


def test_what_a_handler_raises_says_with_which_seed_and_what_was_handled_before():
    def refuse_repeats(state, message):
        if message.body in state:
            raise LookupError(f"{message.body} was paid")
        state[message.body] = 10

    with pytest.raises(LookupError, match="was paid") as failed:
        assert_idempotent(refuse_repeats, PEOPLE, fresh=dict)
    told, handled = failed.value.__notes__
    assert "World(" not in told
    seed = int(told.partition("seeds=[")[2].partition("]")[0])
    assert "(receive 2), raised LookupError" in handled
    with pytest.raises(LookupError) as again:
        assert_idempotent(refuse_repeats, PEOPLE, fresh=dict, seeds=[seed])
    assert again.value.__notes__ == failed.value.__notes__


@pytest.mark.parametrize("nothing", [{"messages": []}, {"seeds": 0}, {"seeds": []}])
def test_a_rehearsal_of_nothing_is_refused(nothing):
    with pytest.raises(ValueError, match="would show nothing"):
        assert_idempotent(pay, **{"messages": PEOPLE, "fresh": dict, **nothing})


def test_a_handler_that_yields_is_refused():
    def handle(state, message):
        yield pay(state, message)

    with pytest.raises(TypeError, match="handle yields"):
        assert_idempotent(handle, PEOPLE, fresh=dict)
