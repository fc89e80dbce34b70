"""What the 3D and flat views show, how they look at it, and what of it lies under the pointer."""
