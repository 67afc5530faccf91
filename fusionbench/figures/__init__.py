"""Figures as papers print them: one kind a file, each a function ``draw`` that returns a `matplotlib.figure.Figure`.

Nothing here opens a window or needs a display; `fusionbench.figures.page.save` writes what ``draw`` returns.
"""
