"""Data sets of statsmodels and sktime: read unchanged, or with the flags that the error message names."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from training.config import TrainConfig
from training.data.errors import SeriesError
from training.data.series import load_rows

# By file in the `datasets` of the package: flags, frequency, rows.
READ: dict[str, tuple[dict[str, Any], str | None, int]] = {
    "sktime/data/Airline/Airline.csv": ({}, "MS", 144),
    "sktime/data/Lynx/Lynx.csv": ({}, "step", 114),
    "sktime/data/PBS_dataset/PBS_dataset.csv": ({}, "MS", 204),
    "sktime/data/ShampooSales/ShampooSales.csv": ({}, "MS", 36),
    "sktime/data/solar/solar.csv": ({}, "30min", 289),
    "sktime/data/Uschange/Uschange.csv": ({"column": "Consumption"}, "QS", 187),
    "sktime/data/seatbelts/seatbelts.csv": ({"column": "KSI"}, "MS", 192),
    "sktime/data/yahoo/yahoo.csv": ({"column": "data"}, None, 1000),
    "statsmodels/co2/co2.csv": ({"gaps": "interpolate"}, "W-SAT", 2284),
    "statsmodels/copper/copper.csv": ({"column": "COPPERPRICE", "time": "YEAR"}, "YS", 25),
    "statsmodels/danish_data/data.csv": ({"column": "lrm"}, "QS", 55),
    "statsmodels/elec_equip/elec_equip.csv": ({}, "MS", 257),
    "statsmodels/elnino/elnino.csv": ({"column": "JAN"}, "YS", 61),
    "statsmodels/grunfeld/grunfeld.csv": ({"column": "invest", "id": "firm"}, "YS", 220),
    "statsmodels/macrodata/macrodata.csv": ({"column": "realgdp"}, "QS", 203),
    "statsmodels/nile/nile.csv": ({}, "YS", 100),
    "statsmodels/sunspots/sunspots.csv": ({}, "YS", 309),
}
REFUSED = {
    "statsmodels/co2/co2.csv": "59 values are missing: the first on line 8, column 'co2', which is empty",
    "statsmodels/copper/src/copper.dat": "has 7 cells with spaces between them; type --delimiter ' '",
    "statsmodels/grunfeld/grunfeld.csv": "type --id firm",
    "statsmodels/macrodata/macrodata.csv": "12 columns of numbers may be the value; type --column NAME",
    "statsmodels/macrodata/src/unemp.csv": "begins on line 10 with 'Series id', 'Year', 'Period', 'Value'",
    "statsmodels/sunspots/src/sunspots_yearly.dat": "look like data and not like the names of columns",
    "sktime/data/yahoo/yahoo.csv": "2 columns of numbers may be the value; type --column NAME",
}


def path_of(name: str) -> Path:
    package, _, rest = name.partition("/")
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "datasets" / rest


@pytest.mark.parametrize("name", READ)
def test_a_series_that_a_package_ships_is_read(name: str) -> None:
    flags, frequency, count = READ[name]

    table = load_rows(TrainConfig(data=path_of(name), **flags)).table

    assert table is not None
    assert (table.frequency and table.frequency.name, len(table.values)) == (frequency, count)


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_a_package_ships_is_refused_with_a_reason(name: str) -> None:
    with pytest.raises(SeriesError) as caught:
        load_rows(TrainConfig(data=path_of(name)))

    assert REFUSED[name] in str(caught.value)
