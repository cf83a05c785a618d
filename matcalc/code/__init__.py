"""Generated NumPy."""
