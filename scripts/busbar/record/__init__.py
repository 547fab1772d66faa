"""The run record: its data models, its journal, its statistics, and how it is read."""
