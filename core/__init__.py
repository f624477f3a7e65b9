"""Everything that computes: one photograph in, one CarAsset out.  Never imports bpy, only imports from inside itself.

photo -> matte -> perceive -> fit -> invert -> paint -> asset
"""
