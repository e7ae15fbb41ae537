"""Every metric by its definition, word for word and slow: what the quick ones are held against."""

from itertools import combinations, pairwise

from hypothesis import strategies as st

permutations = st.integers(0, 40).flatmap(lambda n: st.permutations(range(n)))
anything = st.one_of(st.lists(st.integers(0, 30), max_size=40), permutations)
"""Sequences, of which some have numbers repeated and missing."""


def reordered(sequence):
    return [i for i in range(len(sequence)) if any(before > sequence[i] for before in sequence[:i])]


def overtakers(sequence):
    return {i: next(j for j in range(i) if sequence[j] > sequence[i]) for i in reordered(sequence)}


def n_reordering(sequence):
    found = []
    for i, number in enumerate(sequence):
        n = 0
        while n < i and sequence[i - n - 1] > number:
            n += 1
        found.append(n)
    return found


def gaps(sequence):
    broken = sorted({*overtakers(sequence).values()})
    return [after - before for before, after in pairwise(broken)]


def free_runs(sequence):
    late = reordered(sequence)
    text = "".join("|" if i in late else "." for i in range(len(sequence)))
    return [len(run) for run in text.split("|") if run]


def once(sequence):
    return [number for i, number in enumerate(sequence) if number not in sequence[:i]]


def displacements(sequence, threshold=None):
    """RFC 5236's procedure: the next index is the next number that has come early or is in sight."""
    coming = once(sequence)
    sight = len(coming) if threshold is None else threshold + 1
    window, coming = coming[:sight], coming[sight:]
    early, found = [], []
    index = min(window, default=0)
    while window:
        while index not in window and index not in early:
            index += 1
        number = window.pop(0)
        displacement = index - number
        if threshold is None or abs(displacement) <= threshold:
            found.append(displacement)
            if index in early:
                early.remove(index)
            if displacement < 0:
                early.append(number)
            index += 1
        while coming and coming[0] < index:
            coming.pop(0)
        if coming:
            window.append(coming.pop(0))
    return found


def occupancies(sequence, threshold=None):
    """RFC 5236's procedure: an arrival is kept while something smaller is in sight."""
    coming = once(sequence)
    sight = len(coming) if threshold is None else threshold + 1
    window, coming = coming[:sight], coming[sight:]
    kept, found = [], []
    while window:
        expected = min(window)
        number = window.pop(0)
        if number == expected:
            kept = [one for one in kept if window and one > min(window)]
            expected = min(window, default=number)
        else:
            kept.append(number)
        found.append(len(kept))
        while coming and coming[0] < expected:
            coming.pop(0)
        if coming:
            window.append(coming.pop(0))
    return found


def inversions(sequence):
    return sum(before > after for before, after in combinations(sequence, 2))


def pairs(sequence):
    return sum(one != other for one, other in combinations(sequence, 2))


def distances(sequence):
    return [abs(i - place) for place, (_, i) in enumerate(sorted((n, i) for i, n in enumerate(sequence)))]


def longest_increasing(sequence):
    longest = []
    for i, number in enumerate(sequence):
        longest.append(1 + max((longest[j] for j in range(i) if sequence[j] <= number), default=0))
    return max(longest, default=0)


def runs(sequence):
    return sum(i == 0 or sequence[i] < sequence[i - 1] for i in range(len(sequence)))


def oldest_age(sent_ns, received_ns, time):
    """How old the oldest is that was sent by then and was not received by then."""
    ages = [
        time - sent
        for sent, received in zip(sent_ns, received_ns, strict=True)
        if sent <= time and (received is None or received > time)
    ]
    return max(ages, default=0)


def held_at(intervals, time):
    return sum(begin <= time < end for begin, end in intervals)
