"""Everything that computes: one photograph in, one CarAsset out.  Never imports bpy, only imports from inside itself.

photo -> matte -> perceive -> invert -> fit -> paint -> asset
"""
