from pathlib import Path

from tests.training.each.test_each import write
from training.data.reading import read_table
from training.each.split import tables_of
from training.series_config import SeriesConfig


def test_each_series_is_a_table_of_its_own_with_its_gaps_and_without_their_number(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", {"a": [1, 2], "b": [3, float("nan"), 4, 5], "c": [6]})

    one, two, three = tables_of(read_table(SeriesConfig(data=path, id="shop", gaps="split")))

    assert [table.ids for table in (one, two, three)] == [["a"], ["b"], ["c"]]
    assert [table.values.tolist() for table in (one, two, three)] == [[1, 2], [3, 4, 5], [6]]
    assert [table.starts.tolist() for table in (one, two, three)] == [[0], [0, 1], [0]]
    assert (two.owners.tolist(), two.lengths.tolist(), two.targets is two.values) == ([0, 0], [1, 2], True)
    assert (two.read["gaps"], two.read["rows"], two.read["series"]) == ("split", 3, 1)
    assert "missing_values" not in two.read
