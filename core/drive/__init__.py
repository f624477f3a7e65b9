"""drive: a path, a wish for speed and the ground -> every frame of a car that rolls, steers, leans and signals."""
