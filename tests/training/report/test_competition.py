import json
from pathlib import Path

import pytest

from training.report.competition import GROUPS, competition_section


def write(out: Path, lstm: float, mlp: float) -> None:
    (out / "forecasts").mkdir()
    for group in GROUPS:
        scores = {"LSTM": [lstm, 9.0], "MLP": [mlp, 9.0], "linear, least squares": [14.0, 9.0]}
        content = {name: {"smape": values} for name, values in scores.items()}
        (out / "forecasts" / f"M3-{group}-networks-0.json").write_text(json.dumps(content))


def test_without_results_of_the_benchmark_the_section_says_how_to_get_them(tmp_path: Path) -> None:
    assert "make bench-forecast" in competition_section(tmp_path).lead


@pytest.mark.parametrize(
    ("lstm", "mlp", "sentence"),
    [
        (11.0, 13.0, "The LSTM is ahead of the MLP: mean sMAPE 10.00 for the LSTM, 11.00 for the MLP, 11.50"),
        (13.0, 11.0, "The MLP is ahead of the LSTM: mean sMAPE 11.00 for the LSTM, 10.00 for the MLP, 11.50"),
        (11.0, 11.04, "Neither network is better: mean sMAPE 10.00 for the LSTM, 10.02 for the MLP"),
    ],
)
def test_the_section_says_which_network_is_ahead_over_all_groups(
    tmp_path: Path, lstm: float, mlp: float, sentence: str
) -> None:
    write(tmp_path, lstm, mlp)

    section = competition_section(tmp_path)

    assert section.lead.startswith(sentence)
    assert [row[0] for row in section.tables[0].rows] == list(GROUPS)


@pytest.mark.parametrize(
    ("lstm", "mlp", "claim"), [(11.0, 13.0, "true: "), (13.0, 11.0, "not true: "), (11.0, 11.04, "not true: ")]
)
def test_the_section_says_whether_the_article_s_claim_about_long_spans_is_true(
    tmp_path: Path, lstm: float, mlp: float, claim: str
) -> None:
    write(tmp_path, lstm, mlp)

    (finding,) = competition_section(tmp_path).findings

    assert finding.startswith(f"The article claims that the LSTM performs best on long spans. On M3 that is {claim}")
    assert f"{(lstm + 9) / 2:.2f} for the LSTM" in finding
