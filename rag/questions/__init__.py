"""Question sets: read, checked against the documents, imported from other formats."""

from rag.questions.checking import check_evidence
from rag.questions.model import Evidence, Question
from rag.questions.reading import QuestionFile, read_questions

__all__ = ["Evidence", "Question", "QuestionFile", "check_evidence", "read_questions"]
