"""Reports on runs: one HTML file, and tables of runs.

report.py              the HTML file of one or several runs
run_report.py          its parts for one run
comparison_report.py   its parts for several
html_page.py           sections, tables and figures in HTML
overview.py            all runs of a folder, as a table
run_groups.py          several runs side by side, those that differ in the seed alone together
"""
