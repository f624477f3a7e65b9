"""export: a car of the scene -> glTF, USD or FBX, as other programs want it."""
