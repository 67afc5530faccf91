"""Networks that fuse. The methods and their cards load without torch; the networks do not."""

from __future__ import annotations
