"""asset: everything the scene needs, checked, saved to a folder and read back."""
