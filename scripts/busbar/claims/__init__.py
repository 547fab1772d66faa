"""Vendors' claims as data: what is claimed, what tests it, the figure it must reach."""
