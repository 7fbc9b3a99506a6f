"""The learning rate of a step; depends on nothing but the step, so that resuming needs no state."""

from __future__ import annotations

import math

from egorear_ros.training.config import TrainingConfig


def learning_rate(step: int, config: TrainingConfig) -> float:
    """Linear warm-up, then the schedule.

    Args:
        step: from 0.
        config: with `steps` given.
    """
    total = config.steps or 1
    if step < config.warmup_steps:
        if "full_first_step" in config.quirks:
            return config.learning_rate * (step / config.warmup_steps if step else 1.0)
        return config.learning_rate * (step + 1) / config.warmup_steps
    if config.schedule == "drops":
        # Compared as whole numbers: an epoch may be any share of the steps.
        return config.learning_rate * 0.1 ** sum(step * (config.epochs or 1) >= drop * total for drop in config.drops)
    if config.schedule == "linear":
        return config.learning_rate * min(1.0, max(total - step, 0) / (config.decay_share * total))
    done = (step - config.warmup_steps) / max(total - config.warmup_steps, 1)
    return config.learning_rate * 0.5 * (1.0 + math.cos(math.pi * min(done, 1.0)))
