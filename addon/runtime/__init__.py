"""The worker's own environment beside Blender: is it there, how it is made, and what to say where it cannot be made.

environment: what is ready.  set_up: Blender's side of making it, with the sentences in failures.
installer: a process of its own, with processes (its children), pip_progress and upkeep.
Nothing here imports bpy: everything comes by parameter.
"""
