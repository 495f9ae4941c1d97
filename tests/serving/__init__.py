"""The server at its edge: bytes that no browser sends, TLS, headers, signals, the log, a broken database."""
