"""A run of the lab, for people: tables to read, pictures to look at, a page that has both.

    deliveries.py    what the pictures are drawn from: who received what, and was it late
    style.py         how they look, and how a drawing becomes bytes (always the same ones)
    missing.py       what is said where matplotlib is missing
    pictures.py      a picture: its name, what it shows, how it is drawn
    order_plots.py   place sent against place received; displacements
    time_plots.py    lanes over time; how long messages waited
    sweep_plots.py   a figure against a parameter, with its confidence interval
    side_by_side.py  the same load on several kinds of queue
    tables.py        verdict, figures, settings, as rows
    page.py          one HTML file without any request to elsewhere
    files.py         the folder that a run leaves behind

Only what draws imports matplotlib (extra `lab`), and only when it draws.
"""
