"""How a network's steps are computed, and how fast: the plan, the steps, the updates."""
