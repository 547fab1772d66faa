"""Busbar: measures what a cluster's network delivers and judges it against what it can do."""
