"""What a page asks of the database: no more with many rows than with few, and never a sort."""
