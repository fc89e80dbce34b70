"""What the images show, and what is done in them."""
