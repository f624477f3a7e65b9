"""The reference back end: plain torch on any device, any float dtype."""

from __future__ import annotations

from .antialias import antialias, antialias_topology, silhouette
from .interpolate import interpolate
from .rasterize import rasterize
from .texture import texture

__all__ = ["antialias", "antialias_topology", "interpolate", "rasterize", "silhouette", "texture"]
