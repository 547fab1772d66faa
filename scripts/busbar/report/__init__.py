"""The report: one self-contained HTML page made from run records, and static figures."""
