"""`python -m actorstance` is the `actorstance` command."""

from .cli import main

main()
