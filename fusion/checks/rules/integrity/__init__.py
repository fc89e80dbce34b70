"""What labels must be before anything can be said of them."""
