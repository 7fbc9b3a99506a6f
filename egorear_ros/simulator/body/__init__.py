"""The simulated person: body shapes, garments, hair, retargeting of motion and skinning."""
