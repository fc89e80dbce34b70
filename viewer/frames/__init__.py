"""What was measured, frame by frame: read ahead, put together, with a limit on memory."""
