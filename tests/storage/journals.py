"""Journals for tests: begun, and read as a later process reads them."""

from faulty_disk import LightDisk

from queuestream.storage.journal import Journal

SMALL = 4096


def begun(path, *, after=0, disk=None, segment_bytes=SMALL, owner=0):
    """A journal to write to, whose database has everything up to an epoch."""
    journal = Journal(path, disk or LightDisk(), segment_bytes, owner)
    list(journal.entries(after))
    journal.begin(journal.last_epoch + 1)
    return journal


def read(path, after=0, **options):
    """What a process finds that comes after the one that wrote."""
    return list(Journal(path, LightDisk(), **options).entries(after))


def flip(file, bit):
    """Damage one bit of a file."""
    content = bytearray(file.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    file.write_bytes(content)
