"""The window, in PyQt6; nothing else in the project touches it."""
