"""A page on this machine alone: draw, and see what a network makes of it."""
