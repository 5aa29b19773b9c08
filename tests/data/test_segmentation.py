from pathlib import Path

import actorstance
import pytest
from actorstance.configs import DataError
from actorstance.data import read_article
from actorstance.data.segmentation import split_article

EXAMPLES = Path(actorstance.__file__).parent / "data" / "examples"


def test_running_text_is_cut_at_sentence_ends_and_offsets_point_back() -> None:
    path = EXAMPLES / "harbour_dispatch.txt"
    text = path.read_text(encoding="utf-8")
    article = read_article(path)
    assert article.sentences[0].text == "Two presidents, one fuel queue"
    assert any(
        s.text.startswith("Nicolás Maduro's oil minister blamed U.S. sanctions")
        and s.text.endswith("since April.")
        for s in article.sentences
    )
    for sentence in article.sentences:
        assert " ".join(text[sentence.start : sentence.end].split()) == sentence.text


def test_token_per_line_keeps_every_word_and_the_title_apart() -> None:
    path = EXAMPLES / "border_tour_tokens.txt"
    text = path.read_text(encoding="utf-8")
    article = read_article(path)
    assert article.title == "Guaidó's tour ends where it began, at a closed bridge"
    words = text.split("\n", 1)[1].split()
    assert " ".join(s.text for s in article.sentences).split() == words
    for sentence in article.sentences:
        assert text[sentence.start : sentence.end].split() == sentence.text.split()


def test_token_per_line_sentences_differ_in_length() -> None:
    article = read_article(EXAMPLES / "border_tour_tokens.txt")
    lengths = {len(s.text.split()) for s in article.sentences[:-1]}
    assert len(article.sentences) > 5
    assert len(lengths) > 3


def test_an_article_of_short_lines_is_not_taken_for_tokens() -> None:
    text = "A title\n" + "\n".join(["Two words"] * 30)
    assert split_article(text).title is None


@pytest.mark.parametrize("content", [b"", b" \n\n", b"\xff\xfe\x00"])
def test_unusable_files_are_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "article.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"article\.txt"):
        read_article(path)


def test_an_article_that_is_too_long_is_refused_not_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actorstance.data.segmentation.LONGEST_ARTICLE", 101)
    path = tmp_path / "long.txt"
    path.write_text("é" * 70, encoding="utf-8")  # 140 bytes, though fewer characters than allowed
    with pytest.raises(DataError, match="more than 101 bytes"):
        read_article(path)
