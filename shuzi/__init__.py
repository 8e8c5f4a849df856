"""Reads handwritten Chinese numerals."""
