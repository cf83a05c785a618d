"""Passes over functions: few new arrays, arrays made once, loops for numba."""
