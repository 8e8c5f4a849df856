"""Handwriting on every paper: pictures to measure reading on, drawn by another hand than those for training.

It shares the strokes and the virtual writers with the training pages, and nothing else: pen, paper, scanner, camera
and screen are its own. `python -m benchmarks.paper` is the command.
"""
