"""The command line as a person at a terminal meets it: each command a process of its own."""
