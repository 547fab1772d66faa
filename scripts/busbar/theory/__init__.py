"""Theory: the shortest time physics allows, and the time to expect."""
