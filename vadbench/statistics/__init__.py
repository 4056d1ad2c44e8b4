"""What scoring needs of one clip, made from its truth and prediction arrays (protocols.md, "Statistics")."""
