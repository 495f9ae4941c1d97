"""The long run, ``python -m tests.long``: the races, crashes and the state machine of the suite at full length.

Nothing is tested here: it runs the same tests with ``--long``, and puts what they tell into a table.
"""
