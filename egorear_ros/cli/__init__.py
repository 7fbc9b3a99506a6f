"""The `egorear` command: one module per subcommand, found by its name.

A module offers `configure(parser)` and `run(args) -> exit status`; the first line of its docstring is the help text.
May import everything; heavy imports go inside `run`, so that `egorear --help` stays quick.
"""
