"""How many items a second each reader gives, and the writer and the batcher take.

    python benchmarks/items.py [--items 1000000] [--rounds 3] [READER ...]

Each dataset is written once to a temporary folder and read so many times; the best round is shown, with the
most memory that the process ever held (which a reader does not raise with the number of items).
"""

from __future__ import annotations

import argparse
import gzip
import json
import resource
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asl_engine.datasets import ChildExecution, batches, read, storage_of, write_results
from asl_engine.states.item_flow import Writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from asl_engine.datasets import Storage

GET, LIST = "arn:aws:states:::s3:getObject", "arn:aws:states:::s3:listObjectsV2"
FIRST_ROW = {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}


def item(number: int) -> dict[str, Any]:
    return {"id": number, "name": f"customer {number}", "total": 12.5, "tags": ["a", "b"], "open": True}


def written(path: Path, pieces: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(pieces)


def make_datasets(folder: Path, items: int) -> None:
    texts = [json.dumps(item(number)) for number in range(items)]
    written(folder / "array.json", ["[", ",\n".join(texts), "]"])
    written(folder / "nested.json", ['{"meta": {"n": 1}, "data": {"items": [', ",".join(texts), "]}}"])
    written(folder / "lines.jsonl", (f"{text}\n" for text in texts))
    with gzip.open(folder / "lines.jsonl.gz", "wt", compresslevel=1) as file:
        file.writelines(f"{text}\n" for text in texts)
    header = "id,name,total,tags,open\n"
    written(folder / "plain.csv", [header, *(f"{n},customer {n},12.5,a b,true\n" for n in range(items))])
    written(folder / "quoted.csv", [header, *(f'{n},"customer, {n}",12.5,"a ""b""",true\n' for n in range(items))])
    make_parquet(folder / "table.parquet", items)
    (folder / "many").mkdir()
    for number in range(min(items, 20_000)):
        (folder / "many" / f"{number:06}").touch()


def make_parquet(path: Path, items: int) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    rows = pa.Table.from_pylist([item(number) for number in range(items)])
    parquet.write_table(rows, path, row_group_size=100_000)


def getting(storage: Storage, key: str, **config: Any) -> Callable[[], Iterable[object]]:
    return lambda: read(GET, {"Bucket": "data", "Key": key}, config, storage)


def works(storage: Storage, items: int) -> dict[str, Callable[[], Iterable[object]]]:
    def writing() -> Iterator[object]:
        text = json.dumps(item(1))
        done = [None] * items
        children = (
            ChildExecution("SUCCEEDED", text, f"arn:{number}", "arn", str(number), 0, 1, text)
            for number, _ in enumerate(done)
        )
        write_results(children, Writing("data", "out", "NONE", "JSON"), storage, "arn:mapRun:m/l:id")
        return iter(done)

    return {
        "JSON": getting(storage, "array.json", InputType="JSON"),
        "JSON, ItemsPointer": getting(storage, "nested.json", InputType="JSON", ItemsPointer="/data/items"),
        "JSONL": getting(storage, "lines.jsonl", InputType="JSONL"),
        "JSONL, gzip": getting(storage, "lines.jsonl.gz", InputType="JSONL"),
        "CSV": getting(storage, "plain.csv", **FIRST_ROW),
        "CSV, quoted": getting(storage, "quoted.csv", **FIRST_ROW),
        "PARQUET": getting(storage, "table.parquet", InputType="PARQUET"),
        "listObjectsV2": lambda: read(LIST, {"Bucket": "data", "Prefix": "many/"}, {}, storage),
        "ItemBatcher, of 100": lambda: (
            item
            for batch in batches((item(number) for number in range(items)), 100)
            for item in range(batch.items)
        ),
        "ResultWriter": writing,
    }


def measured(work: Callable[[], Iterable[object]], rounds: int) -> tuple[int, float]:
    best = float("inf")
    number = 0
    for _ in range(rounds):
        began = time.perf_counter()
        last = deque(enumerate(work(), 1), maxlen=1)
        best = min(best, time.perf_counter() - began)
        number = last[0][0] if last else 0
    return number, best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("readers", nargs="*", metavar="READER")
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        make_in_another_process(Path(name), given.items)
        for title, work in works(storage_of({"data": Path(name)}), given.items).items():
            if given.readers and title not in given.readers:
                continue
            number, seconds = measured(work, given.rounds)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            print(f"{title:20} {number / seconds:12,.0f} items/s   {seconds:6.2f} s   peak {peak} MiB")


def make_in_another_process(folder: Path, items: int) -> None:
    """What the making of the datasets needs is not to be counted."""
    import multiprocessing

    maker = multiprocessing.get_context("spawn").Process(target=make_datasets, args=(folder, items))
    maker.start()
    maker.join()
    if maker.exitcode:
        raise SystemExit("the datasets could not be made")


if __name__ == "__main__":
    main()
