"""Question sets: read, checked against the documents, imported from other formats."""

from rag.question_sets.checking import check_evidence
from rag.question_sets.model import Evidence, GoldQuestion
from rag.question_sets.reading import QuestionFile, read_questions

__all__ = ["Evidence", "GoldQuestion", "QuestionFile", "check_evidence", "read_questions"]
