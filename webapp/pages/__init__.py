"""The screens: one folder for each noun, each a Flask blueprint. They never import one another."""
