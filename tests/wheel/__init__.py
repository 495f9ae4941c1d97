"""The wheel: built, looked into, installed and run."""
