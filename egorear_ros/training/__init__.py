"""Training: losses, parameter groups; frame sets at the training resolution, and the trainer of egorear-s.

May import: simulator, inference, network, data, evaluation, rig, skeleton, errors, resources. Imported by cli.
Reading order: `losses`, `parameter_groups` (the paper's systems); `shards`, `batches`, `compact_losses`, `config`,
`trainer`, `validation` (egorear-s).
"""
