"""A second dispute, and a small encoder of another architecture, for the tests."""

from pathlib import Path

import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

HERE = Path(__file__).parent / "second_dispute"
DISPUTE = HERE / "dispute.yaml"
SENTENCES = HERE / "sentences.csv"


def save_tiny_encoder(folder: Path, kind: str = "electra") -> Path:
    """Write an encoder of another architecture than the default one, untrained and small."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train(
        [str(SENTENCES)], trainers.WordPieceTrainer(vocab_size=400, special_tokens=special)
    )
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=64,
    ).save_pretrained(folder)
    transformers.set_seed(0)
    sizes = {
        "electra": {
            "embedding_size": 32,
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "intermediate_size": 64,
        },
        "distilbert": {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64},
    }[kind]
    config = transformers.AutoConfig.for_model(
        kind, vocab_size=len(tokenizer.get_vocab()), max_position_embeddings=64, **sizes
    )
    transformers.AutoModel.from_config(config).save_pretrained(folder)
    return folder
