"""Stage 4: from prompts to a mask for each object and frame. Source: TAO, section 3.3."""
