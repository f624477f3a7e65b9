"""The worker's own environment beside Blender: is it there, how it is made, and what to say where it cannot be made.

environment (what is ready) <- set_up (Blender's side of making it) -> installer (its own process); failures holds the sentences.
Nothing here imports bpy: everything comes by parameter.
"""
