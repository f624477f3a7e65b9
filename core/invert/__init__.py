"""Photograph -> latent of the image generator."""
