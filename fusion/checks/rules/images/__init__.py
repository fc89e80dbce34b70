"""Boxes against what people drew, or a network found, in the images."""
