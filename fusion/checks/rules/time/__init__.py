"""Boxes against those before and after them."""
