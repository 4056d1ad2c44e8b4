"""Track Any Anomalous Object (TAO, CVPR 2025): detect, score, filter, segment. Source: arXiv 2506.05175, section 3."""
