"""Fisheye rasteriser and shading on the CPU (numba)."""
