"""Everything that the textbooks draw, each as a function that returns a matplotlib figure.

subject.py            a trained network to draw, and what is wanted of the figures
figures.py            each kind of figure by name
saliency_figures.py   feature maps, saliency and excitation of a subject
weight_figures.py     filters and histograms of a subject

Drawn from values: architecture.py, confusion.py, curves.py, dataset_figure.py, feature_maps.py,
filters.py, image_grid.py. Colors and sizes: style.py.
"""
