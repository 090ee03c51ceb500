"""The commands of `social-dilemmas`, a module each: `add_arguments(parser)` and `run(arguments) ->
exit status`.
"""
