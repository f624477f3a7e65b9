"""rig: bones, the properties an animator turns, and the drivers between them."""
