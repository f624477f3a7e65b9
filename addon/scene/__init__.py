"""scene: a CarAsset becomes one collection of Blender objects."""
