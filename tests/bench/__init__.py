"""The benchmark, ``python -m tests.bench [SIZES...]``: how fast the list pages are, and whether they stay so.

It measures the real server from outside, on people made by the app's own operations. Nothing here may
change the app, hook into it, or touch a database other than the ones it makes in a temporary folder.
"""
