import os
import random
import subprocess
import sys

from actorstance.configs import Actor
from actorstance.data import (
    bare_words,
    part_of,
    renamed,
    with_exchanged_names,
    with_misspelt_names,
    with_other_names,
)

VOSS = Actor(name="Voss", aliases=["Irena Voss", "the mayor"])
REHL = Actor(name="Réhlich", aliases=["Tomas Réhlich"])


def test_bare_words_are_what_word_per_line_archives_keep() -> None:
    assert bare_words(
        "Voss's 11 clerks, “unpaid” since May 3rd, left; the clerks' union didn't."
    ) == ("voss clerks unpaid since may rd left the clerks union didn t")
    assert bare_words("Guaidó") == "guaidó"


def test_an_actor_goes_by_another_name_and_nobody_else_does() -> None:
    text = "Irena Voss met Vossberg; Voss smiled."
    assert renamed(text, VOSS, "the mayor") == "The mayor met Vossberg; the mayor smiled."
    assert renamed("The harbour is calm.", VOSS, "the mayor") == "The harbour is calm."
    assert with_other_names(text, [VOSS], random.Random(0)).startswith("The mayor met Vossberg")
    # Réhlich has no alias that is not its own name, so nothing else to be called by.
    assert with_other_names("Réhlich spoke.", [REHL], random.Random(0)) == "Réhlich spoke."


def test_a_misspelt_name_differs_by_a_swap_or_by_its_accents() -> None:
    seen = {
        with_misspelt_names("Réhlich spoke.", [REHL], random.Random(seed)) for seed in range(40)
    }
    assert "Rehlich spoke." in seen
    assert len(seen) > 4
    assert all(sorted(text) == sorted("Rehlich spoke.") for text in seen)
    # Four letters are too few: a typing error makes another word of them.
    assert with_misspelt_names("Voss spoke.", [VOSS], random.Random(0)) == "Voss spoke."


def test_the_same_seed_misspells_alike_in_every_process() -> None:
    code = (
        "import random; from actorstance.configs import Actor; "
        "from actorstance.data import with_misspelt_names; "
        "actor = Actor(name='Delmarque', aliases=['Oriane Delmarque', 'Harbour Council']); "
        "text = 'Oriane Delmarque left the Harbour Council. ' * 3; "
        "print(with_misspelt_names(text, [actor], random.Random(0)))"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in range(4)
    }
    assert len(seen) == 1


def test_what_was_said_of_one_is_said_of_the_other() -> None:
    text = with_exchanged_names("Irena Voss sued Réhlich.", [VOSS, REHL], random.Random(1))
    names = [[actor.name, *actor.aliases] for actor in (REHL, VOSS)]
    assert text in [f"{a} sued {b}." for a in names[0] for b in names[1]]
    assert with_exchanged_names("The harbour is calm.", [VOSS, REHL], random.Random(1)) == (
        "The harbour is calm."
    )


def test_a_part_is_one_side_of_a_pause_and_long_enough() -> None:
    text = "After the count had ended on Tuesday, the mayor of the port went home; nobody saw him."
    parts = {part_of(text, random.Random(seed)) for seed in range(30)}
    assert parts == {
        "After the count had ended on Tuesday",
        "the mayor of the port went home; nobody saw him.",
        "After the count had ended on Tuesday, the mayor of the port went home",
    }
    assert part_of("Voss won, Rehl lost.", random.Random(0)) == "Voss won, Rehl lost."
