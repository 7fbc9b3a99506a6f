"""Training: the one trainer, what the systems are trained in and with, and frame sets to train on.

May import: simulator, inference, network, data, evaluation, rig, skeleton, errors, resources. Imported by cli.
Reading order: `config`, `quirks`, `stages`, `trainer`; `tasks`, `egotap_tasks`, `compact_task` with `losses` and
`compact_losses`; `start`, `schedule`, `parameter_groups`, `distributed`, `log`; `sources`, `batches`,
`augmentation`, `heatmap_targets`.
"""
