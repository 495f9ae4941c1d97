"""Migrations on both databases: both ways, with rows, and all or nothing."""
