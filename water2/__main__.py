"""`python -m water2` is the command line, too."""

from water2.cli import main

main()
