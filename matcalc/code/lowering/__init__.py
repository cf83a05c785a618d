"""Expressions in stable and cheap forms, before they are written."""
