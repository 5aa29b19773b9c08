from actorstance.configs import HygieneConfig, Task
from actorstance.data import Example, Finding, audit, split_of
from actorstance.data.hygiene import names_of

TASKS = [Task(name="side", labels=["left", "right"])]
NOUNS = [
    "ferry",
    "harbour",
    "council",
    "ballot",
    "ward",
    "clerk",
    "bridge",
    "market",
    "tax",
    "water",
    "road",
    "school",
]
VERBS = [
    "opened",
    "closed",
    "lost",
    "kept",
    "sold",
    "moved",
    "counted",
    "refused",
    "praised",
    "feared",
    "built",
    "left",
]


def corpus() -> list[Example]:
    """Short sentences that share few words, in documents of four."""
    return [
        Example(
            f"The {noun} {verb} {i}{j} boxes near place{i * 12 + j}.",
            labels={"side": ["left", "right"][(i + j) % 2]},
            document=f"d{(i * 12 + j) // 4}",
        )
        for i, noun in enumerate(NOUNS)
        for j, verb in enumerate(VERBS[:4])
    ]


def findings(examples: list[Example], **rules: object) -> dict[str, Finding]:
    splits = ["train" if int((e.document or "d0")[1:]) % 2 else "test" for e in examples]
    hygiene = HygieneConfig.model_validate(rules)
    return {f.check: f for f in audit(examples, TASKS, hygiene, splits)}  # type: ignore[arg-type]


def test_a_clean_corpus_passes() -> None:
    assert all(finding.passed for finding in findings(corpus(), most_repeated=1.0).values())


def test_near_duplicates_are_found_across_splits_unless_declared() -> None:
    first = Example("Voss sold the old ferry to the council.", {"side": "left"}, document="d1")
    second = Example("Rehl sold the old ferry to the council!", {"side": "right"}, document="d2")
    found = findings([*corpus(), first, second])["near-duplicates"]
    assert not found.passed
    assert "in two splits" in found.details[0]
    pair = [Example(e.text, e.labels, document="d1", pair="p1") for e in (first, second)]
    assert findings([*corpus(), *pair])["near-duplicates"].passed
    crossing = [Example(e.text, e.labels, document=e.document, pair="p1") for e in (first, second)]
    assert "pair p1" in findings([*corpus(), *crossing])["splits"].details[0]


def test_templates_are_named() -> None:
    stamped = [
        Example(
            f"As everybody in town knows well, number {i} won.", {"side": "left"}, document="d1"
        )
        for i in range(9)
    ]
    found = findings([*corpus(), *stamped])
    assert "'everybody in town knows well': 9 times" in found["repeated five words"].details
    assert "'as everybody in': 9 times" in found["repeated openings"].details


def test_names_that_give_the_label_away_are_found() -> None:
    told = [
        Example(
            f"Yesterday {name} {VERBS[i % 12]} the {NOUNS[i % 7]} at dock{i}.",
            {"side": side},
            document=f"d{i}",
        )
        for i, (name, side) in enumerate([("Voss", "left"), ("Rehl", "right")] * 30)
    ]
    found = findings(told, most_repeated=1.0)["names tell side"]
    assert not found.passed
    assert "from names alone 100.0%" in found.summary


def test_balance_and_empty_pairs() -> None:
    lopsided = [Example(e.text, {"side": "left"}, document=e.document) for e in corpus()]
    assert not findings(lopsided, least_share={"side": 0.2})["balance of side"].passed
    lonely = [*corpus()[:-1], Example("A sentence.", {"side": "left"}, document="d1", pair="p9")]
    assert "p9: 1 member, expected 2" in findings(lonely)["contrast pairs"].details


def test_a_pair_is_a_small_edit_not_two_sentences() -> None:
    rows = [
        Example("Voss sold the old ferry.", {"side": "left"}, document="d1", pair="p1"),
        Example("Rehl closed a new school.", {"side": "right"}, document="d1", pair="p1"),
    ]
    assert "p1: the members share 0%" in findings([*corpus(), *rows])["contrast pairs"].details[0]


def test_names_include_a_known_name_at_the_start() -> None:
    assert names_of(["Voss's ferry left.", "The council thanked Voss.", "Ferries left."]) == [
        ["Voss"],
        ["Voss"],
        [],
    ]


def test_a_capital_that_a_quotation_asks_for_makes_no_name() -> None:
    texts = [
        "The clerk said: “Ferries are late.”",
        "Late ferries, “Nobody” said of them.",
        "#Voss won",
    ]
    assert names_of(texts) == [[], [], []]
    assert names_of([*texts, "They thanked Voss."])[2] == ["Voss"]


def test_split_names_are_those_of_the_splitter() -> None:
    from actorstance.configs import SplitConfig

    assert split_of(Example(text="t", document="d1"), SplitConfig()) in ("train", "dev", "test")
