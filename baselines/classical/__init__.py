"""Classical methods, one algorithm a file, and what several of them share."""
