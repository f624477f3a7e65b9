"""drive: a curve or a moved car, and the ground, into keys of the rig; core/drive works them out."""
