"""The review desk: which faces are worth a person's time, in which order."""
