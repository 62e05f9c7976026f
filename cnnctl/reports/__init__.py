"""Reports on runs: one HTML file, and tables of runs."""
