"""Which endpoint, cable or uplink is slow: pairs to measure, their matrix, and who is to blame."""
