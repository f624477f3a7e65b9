"""Photographs of the training cars by Cycles, with a record that gives every label: python -m imago.addon.photograph."""
