"""The morphable car: template, parts, wheels, UV layout and the measures that move it.  Entry module: car.py."""
