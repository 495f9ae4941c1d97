"""Many at once against the real server with two workers: nothing sold twice, nobody overwritten."""
