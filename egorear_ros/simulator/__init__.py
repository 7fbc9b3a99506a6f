"""Simulated helmet rig: a dressed, moving person seen by true fisheye cameras, with exact ground truth.

Lives here: body (shapes, garments, skinning), motion (clips, readers, procedural generator), scene, renderer, camera
effects, ground truth, sampler, recorder, shard writing, live source. May import: data, rig, skeleton, errors,
resources. Imported by: training, capture, cli. Needs the extra `[sim]` (numba).
"""
