"""Everything around the person: rooms, outdoor panoramas, furniture, props, light, textures."""
