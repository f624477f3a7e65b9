"""Making the networks: train_<word>.py each, a dataclass for the settings, resumable, bounded by minutes."""
