"""What on a machine or a cluster would spoil a measurement: facts, rules, findings."""
