"""The command line: one file a command.

In: arguments. Out: files, messages and exit codes. Signals, output folders and progress bars are handled
here and nowhere else. Never: an algorithm.
"""
