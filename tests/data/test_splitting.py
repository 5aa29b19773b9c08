from actorstance.configs import SplitConfig
from actorstance.data import Example, split_of


def test_shares_are_about_as_asked_and_the_seed_matters() -> None:
    split = SplitConfig(dev=0.2, test=0.3, seed=5)
    names = [Example(text="A text.", document=f"document {i}") for i in range(4000)]
    dealt = [split_of(name, split) for name in names]
    assert abs(dealt.count("dev") / 4000 - 0.2) < 0.03
    assert abs(dealt.count("test") / 4000 - 0.3) < 0.03
    assert dealt != [split_of(name, split.model_copy(update={"seed": 6})) for name in names]


def test_a_document_stays_where_it_is() -> None:
    # Fixed for good: a growing corpus must never move a test document into training.
    dealt = {
        document: split_of(Example(text="A text.", document=document), SplitConfig())
        for document in ("a", "f", "h", "y")
    }
    assert dealt == {"a": "train", "f": "dev", "h": "test", "y": "test"}


def test_a_column_may_say_what_is_held_out() -> None:
    split = SplitConfig(dev=0.5, test_column="held_out")
    rows = [Example(text=f"Text {i}.", other={"held_out": str(i < 30)}) for i in range(300)]
    dealt = [split_of(row, split) for row in rows]
    assert dealt[:30] == ["test"] * 30
    assert set(dealt[30:]) == {"train", "dev"}
