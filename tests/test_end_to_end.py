"""A dispute that the code has never heard of: a config and sixty sentences, nothing else."""

from pathlib import Path

import actorstance

DISPUTE = Path(__file__).parent / "second_dispute" / "dispute.yaml"


def test_second_dispute_trains_from_a_config_alone(tmp_path: Path) -> None:
    folder = actorstance.train(
        str(DISPUTE), overrides=["training.epochs=1"], output=tmp_path / "run", progress=False
    )
    for name in (
        "config.yaml",
        "metrics.json",
        "training_log.jsonl",
        "checkpoint/README.md",
        "checkpoint/model.safetensors",
        "plots/loss.png",
        "plots/confusion_side_dev.png",
    ):
        assert (folder / name).stat().st_size > 0, name
    classifier = actorstance.load(folder)
    prediction = classifier("Voss has kept the ferries running.", target="Voss")
    assert prediction.side in ("for_voss", "neither", "for_rehl")
    assert abs(sum(prediction.scores["tone_toward"].values()) - 1) < 1e-5
