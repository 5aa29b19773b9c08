from pathlib import Path

import pytest
from actorstance.configs import ConfigError, load_config, save_config

DISPUTE = Path(__file__).parents[1] / "second_dispute" / "dispute.yaml"


def test_shipped_config_loads_by_name_and_names_the_labels_in_order() -> None:
    config = load_config("venezuela")
    assert config.tasks[0].labels == ["pro_maduro", "neutral", "pro_guaido"]
    assert Path(config.data.files[0]).is_absolute()


def test_overrides_reach_nested_keys_and_list_items() -> None:
    config = load_config(DISPUTE, ["training.learning_rate=5e-5", "tasks.1.weight=0.25"])
    assert config.training.learning_rate == 5e-5
    assert config.tasks[1].weight == 0.25


def test_resolved_config_reads_back_the_same(tmp_path: Path) -> None:
    config = load_config(DISPUTE)
    save_config(config, tmp_path / "resolved.yaml")
    assert load_config(tmp_path / "resolved.yaml") == config


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("training.epoch=3", ["training.epoch", "unknown key", "did you mean 'epochs'"]),
        ("training.epochs=many", ["training.epochs", "'many'", "number"]),
        ("training.epochs=0", ["training.epochs", "greater than 0"]),
        ("model.pooling=means", ["model.pooling", "did you mean 'mean'"]),
        ("tasks.7.weight=1", ["tasks is a list of 2", "0..1", "'7'"]),
        ("name.a=1", ["name is a value, not a section"]),
        ("training.epochs", ["expected key=value"]),
        ("tasks.0.labels=[a, a]", ["tasks.0.labels", "must all differ"]),
        ("data.split.dev=0.9", ["data.split", "below 1"]),
        ("evaluation.select_by=sides", ["no task 'sides'", "side"]),
    ],
)
def test_wrong_override_is_named_with_place_value_and_remedy(
    override: str, words: list[str]
) -> None:
    with pytest.raises(ConfigError) as error:
        load_config(DISPUTE, [override])
    for word in words:
        assert word in str(error.value)


def test_all_problems_of_a_file_are_listed_at_once() -> None:
    with pytest.raises(ConfigError) as error:
        load_config(DISPUTE, ["training.epochs=-1", "model.max_lenght=5"])
    assert "2 problems" in str(error.value)


def test_missing_file_suggests_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'venezuela'"):
        load_config("venezuella")


def test_file_that_is_no_yaml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("name: [unclosed")
    with pytest.raises(ConfigError, match=r"bad\.yaml: not readable as YAML"):
        load_config(path)
