"""Training of the learned methods: losses, data, the loop, and one recipe a network. Needs torch."""

from __future__ import annotations
