"""Modules for other array libraries, translated from the NumPy one."""
