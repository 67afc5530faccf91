"""Sets of pairs of infrared and visible images."""
