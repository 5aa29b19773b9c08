"""The same sentence in the forms that real input takes: bare words, other names, typing errors."""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Sequence

from ..configs import Actor

POSSESSIVE = re.compile(r"['’]s\b|(?<=s)['’](?=\s)")
NOT_A_WORD = re.compile(r"[^\w\s]|\d|_")
PAUSE = re.compile(r"[,;:](?=\s)|\s[–—-]\s")
LEAST_WORDS = 6
LEAST_LETTERS = 5  # a misspelt shorter name is another word


def bare_words(text: str) -> str:
    """Return what archives of one word per line keep: lowercased, no punctuation, no numbers.

    Possessive endings go as well; letters keep their accents.
    """
    return " ".join(NOT_A_WORD.sub(" ", POSSESSIVE.sub("", text.lower())).split())


def renamed(text: str, actor: Actor, name: str) -> str:
    """Call an actor by another name wherever the text names it.

    Only the actor's own name, with or without a first name, is replaced: an alias such as an
    institution may be somebody else in this sentence. Text that does not name it comes back as is.
    """
    return _name(_own_names(actor)).sub(
        lambda found: name[0].upper() + name[1:] if found.start() == 0 else name, text
    )


def with_other_names(text: str, actors: Sequence[Actor], generator: random.Random) -> str:
    """Call every actor that is named by one of its aliases, the same one throughout."""
    for actor in actors:
        others = [alias for alias in actor.aliases if alias not in _own_names(actor)]
        if others:
            text = renamed(text, actor, generator.choice(others))
    return text


def with_exchanged_names(text: str, actors: Sequence[Actor], generator: random.Random) -> str:
    """Call every actor by a name of the next one: what was said of one is now said of another."""
    names = {alias: at for at, actor in enumerate(actors) for alias in (actor.name, *actor.aliases)}

    def other(found: re.Match[str]) -> str:
        actor = actors[(names[found[0]] + 1) % len(actors)]
        return generator.choice([actor.name, generator.choice([actor.name, *actor.aliases])])

    return _name(sorted(names, key=len, reverse=True)).sub(other, text) if names else text


def part_of(text: str, generator: random.Random) -> str:
    """Keep what stands before, or after, one of the commas, semicolons, colons or dashes.

    A part has at least `LEAST_WORDS` words; a text that has no such part comes back as it is.
    """
    parts = []
    for pause in PAUSE.finditer(text):
        before, after = text[: pause.start()].strip(), text[pause.end() :].strip()
        parts += [part for part in (before, after) if len(part.split()) >= LEAST_WORDS]
    return generator.choice(parts) if parts else text


def with_misspelt_names(text: str, actors: Sequence[Actor], generator: random.Random) -> str:
    """Swap two neighbouring letters inside one word of every actor's name, or drop its accents."""
    for actor in actors:
        # Not a set: its order, and so who gets which random number, differs between processes.
        words = dict.fromkeys(
            word for form in (actor.name, *actor.aliases) for word in form.split()
        )
        for word in words:
            if len(word) >= LEAST_LETTERS and word[0].isupper():
                text = _name([word]).sub(_misspelt(word, generator), text)
    return text


def _misspelt(word: str, generator: random.Random) -> str:
    plain = unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode()
    if plain != word and generator.random() < 0.3:
        return plain
    at = generator.randrange(1, len(plain) - 1)
    return plain[:at] + plain[at + 1] + plain[at] + plain[at + 2 :]


def _own_names(actor: Actor) -> list[str]:
    forms = [actor.name, *actor.aliases]
    return sorted((form for form in forms if actor.name in form), key=len, reverse=True)


def _name(forms: Sequence[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, forms))})(?!\w)")
