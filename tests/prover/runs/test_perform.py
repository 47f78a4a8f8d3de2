"""In which order a run does its work. A pure function; what runs do with Lean is in test_bench.py."""

from prover.benchmarks.row import Row
from prover.runs.perform import by_header


def test_rows_of_one_header_come_together_and_else_stay_in_order():
    headers = ["import A", "import B", "import A", "", "import B", "import A"]
    rows = [Row(f"t{number}", f"theorem t{number} : True", header) for number, header in enumerate(headers)]
    assert by_header(rows) == [0, 2, 5, 1, 4, 3]
    assert by_header(rows[3:4] * 3) == [0, 1, 2]
    assert by_header([]) == []
