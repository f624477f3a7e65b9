"""The image generator: a StyleGAN2 whose first layers know the view and whose other layers know the car, group by group."""
