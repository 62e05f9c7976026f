"""Layer tables: parameters, shapes and costs, with their formulas.

summary.py     the table of a network
by_keras.py    its rows where a layer has no formula
align.py       several networks side by side
"""
