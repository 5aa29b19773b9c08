"""How a text and the target asked about become what the encoder reads."""

from __future__ import annotations

import re

MARK = "*"


def marked(text: str, target: str | None) -> str:
    """Put marks around the first mention of a target, so that the encoder sees where it stands.

    Marks around the mention, with the target repeated as a second segment, tell two mentions of
    one sentence apart (compared with other ways by Hamborg and Donnay 2021, NewsMTSC). Letter case
    does not matter, and a text that does not mention the target comes back as it is.
    """
    if not target:
        return text
    found = re.search(rf"(?<!\w){re.escape(target)}(?!\w)", text, re.IGNORECASE)
    if found is None:
        return text
    return f"{text[: found.start()]}{MARK} {found[0]} {MARK}{text[found.end() :]}"
