"""Who may what: every route, every actor, every kind of object, against a matrix written down by hand."""
