"""What survives a restart: a broker kept in one SQLite file.

How it works.  Storage hears the changes of each call before they are applied, and appends
them, as one entry, to a *journal*: a file beside the database, mapped into memory, which a
killed process cannot take with it and which one sync makes safe from a power cut.  From
time to time the journal is *folded* into the database: the rows of everything that has
changed since are written in one transaction, and the journal's space is used anew.  What
was sent, received and deleted in between never becomes a row.  Opening loads the rows, and
applies what the journal has beyond them.  Closed cleanly, everything is in the one file.

There is no rule of SQS or Kinesis here: rows are made of the state that the core has.

    disk.py             the few things that are asked of files; where tests make them fail
    forks.py            what a forked process lets go of
    ownership.py        one owner at a time, and who it is
    presence.py         whether the files are still those that their names stand for
    codec.py            the changes of one call as bytes, and back
    packed.py           the three that every message goes through, in a shorter form
    values.py           the core's values as JSON
    reading.py          and back
    segment.py          one file of the journal
    group_commit.py     one sync for everybody who waits
    journal.py          entries, appended and synced; read again after a crash
    commit_lock.py      the broker's lock, which a call leaves when what it promised is on disk
    async_commit.py     the same for tasks, which do not block their event loop
    queue_tables.py     the tables of queues
    stream_tables.py    the tables of streams
    schema.py           the tables' version, and how an older file becomes a newer one
    gathered.py         what a fold takes along
    queue_rows.py       queues and messages: what is not in the database yet, marked
    queue_gathering.py  and gathered, queue by queue
    queue_loading.py    and rows as queues again
    stream_rows.py      the same of streams, all of it
    records.py          shards whose records stay on disk
    tidying.py          space that is given back
    store.py            all of it together: hear, fold, tidy, close
    opening.py          a broker from a file
    looking.py          a file as somebody sees it who does not own it
    findings.py         what is in a broker, counted
    inspecting.py       what is in a file, and whether it is whole
    lines.py            rows as lines of JSON
    exporting.py        a file as such lines
    importing.py        and back
"""
