"""How fast the queue and the stream are, as ratios within one run.

`python -m benchmarks` measures; `README.md` beside this file says how to read the result.
"""
