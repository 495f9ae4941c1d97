"""What only a browser shows: htmx, touch, focus, history, the Content-Security-Policy, contrast."""
