"""Other tools' results, turned into run records: one file per format."""
