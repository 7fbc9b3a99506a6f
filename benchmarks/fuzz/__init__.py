"""Damaged and hostile files for every reader: each must give a clear error or a value. See docs/fuzzing.md.

    python -m benchmarks.fuzz [READER ...] [--inputs 10000] [--seed 0] [--out DIR]

`mutation` makes damaged files of whole ones, `seeds` writes the whole ones, `readers` says how each kind of file is
read, `running` judges what comes of it, in a process of its own.
"""
