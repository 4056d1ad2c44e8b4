"""Stage 1: from frames to boxes of objects. Source: TAO, section 3.1, equation 1."""
