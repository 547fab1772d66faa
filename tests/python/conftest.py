"""What all Python tests share."""

from __future__ import annotations

from hypothesis import settings

# A machine that is busy with something else must not fail an example.
settings.register_profile("busbar", deadline=None)
settings.load_profile("busbar")
