from actorstance.configs import SplitConfig
from actorstance.data import split_of


def test_shares_are_about_as_asked_and_the_seed_matters() -> None:
    split = SplitConfig(dev=0.2, test=0.3, seed=5)
    names = [f"document {i}" for i in range(4000)]
    dealt = [split_of(name, split) for name in names]
    assert abs(dealt.count("dev") / 4000 - 0.2) < 0.03
    assert abs(dealt.count("test") / 4000 - 0.3) < 0.03
    assert dealt != [split_of(name, split.model_copy(update={"seed": 6})) for name in names]


def test_a_document_stays_where_it_is() -> None:
    # Fixed for good: a growing corpus must never move a test document into training.
    dealt = {document: split_of(document, SplitConfig()) for document in ("a", "f", "h", "y")}
    assert dealt == {"a": "train", "f": "dev", "h": "test", "y": "test"}
