"""The engine behind Through the Inner Loop: usable from a notebook or a shell, without the app."""
