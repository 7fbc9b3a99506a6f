"""What the official training code does and the papers do not say: each has a name, none is on unless it is named."""

from __future__ import annotations

from typing import Final

QUIRKS: Final[dict[str, str]] = {
    "full_first_step": "the first step has the full learning rate; the warm-up begins with the second",
    "drifting_statistics": "batch statistics of frozen networks keep moving (stage 2; EgoTAP's stage 3)",
    "row_heatmap_loss": "stage 3 measures heatmaps by the pose's criterion: a row of a map counts as a point",
    "decayed_norms": "in stage 3 weight decay also on the scales that the official rule overlooks",
    "last_weights": "a stage starts from the last weights of the one before, not from its best",
}
"""Name -> what it does."""
