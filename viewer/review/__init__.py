"""Going through labels: what speaks against them, comments, and how far they are."""
