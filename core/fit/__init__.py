"""Camera and shape against the photograph by differentiable rasterisation, one file a loss term.  Entry module: fit.py."""
