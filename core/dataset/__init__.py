"""Training pictures with exact labels; every path comes in as an argument."""
