"""Score on a local Ray cluster of two workers, one of which is killed on the way.

Run as a program: Ray takes the process it runs in down with it. Prints how many were killed.
"""

import sys

import actorstance.serving.corpus as corpus
import psutil
import ray
from actorstance.serving import ScoreProgress


def main() -> None:
    source, output, checkpoint = sys.argv[1:]
    corpus.SHARD = 40
    killed: list[int] = []

    def kill_a_worker(progress: ScoreProgress) -> None:
        if killed:
            return
        for process in psutil.Process().children(recursive=True):
            if process.name().startswith("ray::MapWorker"):
                process.kill()
                killed.append(process.pid)
                return

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    corpus.score(
        source,
        output,
        checkpoint=checkpoint,
        engine="ray",
        workers=2,
        on_progress=kill_a_worker,
    )
    print("killed", len(killed))


if __name__ == "__main__":
    main()
