"""What survives a restart: a broker kept in one SQLite file.

How it works.  Storage hears the changes of each call before they are applied, and appends
them, as one entry, to a *journal*: a file beside the database, mapped into memory, which a
killed process cannot take with it and which one sync makes safe from a power cut.  From
time to time the journal is *folded* into the database: the rows of everything that has
changed since are written in one transaction, and the journal's space is used anew.  What
was sent, received and deleted in between never becomes a row.  Opening loads the rows, and
applies what the journal has beyond them.  Closed cleanly, everything is in the one file.

There is no rule of SQS or Kinesis here: rows are made of the state that the core has.

    disk.py          the few things that are asked of files; where tests make them fail
    forks.py         what a forked process does first: leave all of this to its parent
    ownership.py     one owner at a time, and who it is
    codec.py         the changes of one call as bytes, and back
    values.py        the core's values as JSON
    reading.py       and back
    segment.py       one of the journal's two files: its header and its entries
    group_commit.py  one sync for everybody who waits
    journal.py       entries, appended and synced; read again after a crash
    commit_lock.py   the broker's lock, which a call leaves when what it promised is on disk
    schema.py        the tables, their version, and how an older file becomes a newer one
    queue_rows.py    queues and messages: what is not in the database yet, written and loaded
    stream_rows.py   the same of streams
    records.py       shards whose records stay on disk
    opening.py       whose file it is, what is in it, and what the journal has beyond that
    tidying.py       rows and pages that nothing uses, given back a little at a time
    presence.py      whether the files are still the ones that we opened
    store.py         all of it together: hear, fold, tidy, close
"""
