"""What the code must keep to whatever it does: each failure says what to do instead."""
