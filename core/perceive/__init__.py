"""What one look at the picture says, before any fit."""
