"""Everything that the textbooks draw, each as a function that returns a matplotlib figure."""
