"""Overviews in the documents' own words: the sentences that stand for the whole, each cited."""

from rag.answering.overview.overviews import Overviews
from rag.answering.overview.request import OverviewScope, requested_overview

__all__ = ["OverviewScope", "Overviews", "requested_overview"]
