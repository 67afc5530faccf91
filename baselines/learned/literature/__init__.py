"""The networks that papers compare with: a file each, which needs torch, and their cards, which do not."""
