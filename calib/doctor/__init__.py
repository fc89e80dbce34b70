"""Names the likely mistake in a rig by trying what would undo it on the data."""
