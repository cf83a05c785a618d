"""Expressions as Python statements, and functions as data until they are text."""
