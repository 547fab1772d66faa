"""Auto-tuning: finds settings, proves them against the default, writes them."""
