"""What goes out and what comes in. Encodings and keys are in none of these."""
