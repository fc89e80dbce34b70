"""One object over many frames."""
