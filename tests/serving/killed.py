"""Score with processes that are killed at random moments, and go on, until enough were killed.

Run as a program, so that nothing has computed before it forks: threads do not survive a fork.
Prints the names of the tables that were finished, after the number of kills.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

import actorstance.serving.corpus as corpus
import torch


def main() -> None:
    source, folder, checkpoint, least = sys.argv[1:]
    corpus.SHARD = 40
    generator = random.Random(7)
    kills = 0
    finished: list[str] = []
    while kills < int(least):
        output = Path(folder) / f"killed-{len(finished)}.parquet"
        while not _is_finished(output):
            child = os.fork()
            if child == 0:
                torch.set_num_threads(1)
                corpus.score(source, output, checkpoint=checkpoint, documents=True)
                os._exit(0)
            time.sleep(generator.uniform(0, 1.5))
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            kills += os.WIFSIGNALED(status)
            if os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0:
                sys.exit("a run that was not killed has failed")
        finished.append(output.stem)
    print(kills, *finished)


def _is_finished(output: Path) -> bool:
    return (
        output.exists() and not (output.with_name(output.name + ".partial") / "run.json").exists()
    )


if __name__ == "__main__":
    main()
