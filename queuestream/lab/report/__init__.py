"""A run of the lab, for people: tables to read, pictures to look at, a page that has both.

    reports.py       what is said and shown of a run, several runs, a sweep, a history; the folder of it
    page.py          one HTML file without any request to elsewhere
    tables.py        verdict, figures, settings, as rows
    pictures.py      a picture: its name, what it shows, how it is drawn
    deliveries.py    what pictures are drawn from: who received what, and was it late
    order_plots.py   place sent against place received; displacements
    lane_plots.py    who worked on what and when; the deliveries of each key and shard over time
    waiting_plots.py how long messages waited, and how many
    side_by_side.py  the same load on several kinds of queue
    sweep_plots.py   a figure against a parameter, with its confidence interval
    labels.py        what keys, names and times are called in all of them
    style.py         how all of them look, and how a drawing becomes bytes (always the same ones)
    missing.py       what is said where matplotlib is missing

Only what draws imports matplotlib (extra `lab`), and only when it draws.
"""
