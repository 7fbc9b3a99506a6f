"""Human motion: clips, file readers (BVH, ASF/AMC), the library file and the procedural generator."""
