"""Looks wider than those of EgoRear-Sim, for training networks that meet other cameras, people and places.

Lives here: photographic skins, more garments and things worn, more places, light and lenses. Everything here is drawn
from random streams of its own, so that the plain looks stay what they are.
"""
