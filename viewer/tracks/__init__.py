"""Whole tracks: edits of them, what a timeline says, and solving them again."""
