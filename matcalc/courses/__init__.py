"""Layers in the names, shapes and argument orders of well-known courses' assignments, as generated NumPy."""
