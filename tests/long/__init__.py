"""The long run, ``python -m tests.long``: races, crashes and the state machine of the suite at full length, and
what has a time to keep.

``timing`` is run here alone. The rest is no test of its own: the same tests are run with ``--long``, and what they
tell is put into a table.
"""
