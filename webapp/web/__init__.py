"""How HTTP is done here: pages and fragments, who may, headers, errors, lists.

Knows Flask and the core, knows no page. ``pages`` use it and nothing here imports them.
"""
