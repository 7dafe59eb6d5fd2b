"""NixtlaClient against a running service, with data frames that have dates."""

import logging
from typing import Any

import numpy as np
import pandas as pd
import pytest
from nixtla import ApiError, NixtlaClient

from tests.repository import AIRLINE
from tests.server import Server

logging.getLogger("nixtla.nixtla_client").setLevel(logging.WARNING)


@pytest.fixture
def client(dated: Server) -> NixtlaClient:
    return NixtlaClient(api_key="any", base_url=dated.url, max_retries=1)


@pytest.fixture(params=["ME", "MS"])
def frame(request: pytest.FixtureRequest) -> pd.DataFrame:
    """Two series, the airline passengers and their double; each month is written as its first or its last day."""
    months = pd.date_range("1949-01-01", periods=len(AIRLINE), freq=request.param)
    one = pd.DataFrame({"unique_id": "one", "ds": months, "y": AIRLINE})
    return pd.concat([one, one.assign(unique_id="two", y=one.y * 2)])


def test_the_key_is_accepted_and_the_models_are_listed(client: NixtlaClient) -> None:
    assert client.validate_api_key(log=False)
    assert client.list_models() == ["airline", "lstm", "mlp"]
    assert client.finetuned_models() == []


def test_a_frame_is_forecast_with_dates_and_intervals(client: NixtlaClient, frame: pd.DataFrame) -> None:
    found = client.forecast(frame, h=12, level=[80, 95], model="airline")

    freq = "ME" if frame.ds.iloc[0].day == 31 else "MS"
    months = pd.date_range("1961-01-01", periods=12, freq=freq)
    assert found.ds[found.unique_id == "one"].tolist() == months.tolist()
    ordered = ["TimeGPT-lo-95", "TimeGPT-lo-80", "TimeGPT", "TimeGPT-hi-80", "TimeGPT-hi-95"]
    assert (found[ordered].diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
    one, two = found[found.unique_id == "one"], found[found.unique_id == "two"]
    assert one.TimeGPT.iloc[0] == pytest.approx(446.9, abs=1)
    assert np.abs(two.TimeGPT.to_numpy() / one.TimeGPT.to_numpy() - 2).max() < 0.2


def test_quantiles_are_ends_of_intervals(client: NixtlaClient, frame: pd.DataFrame) -> None:
    by_quantile = client.forecast(frame, h=3, quantiles=[0.1, 0.5, 0.9], model="airline")
    by_level = client.forecast(frame, h=3, level=[80], model="airline")

    assert by_quantile["TimeGPT-q-10"].tolist() == by_level["TimeGPT-lo-80"].tolist()
    assert by_quantile["TimeGPT-q-50"].tolist() == by_level["TimeGPT"].tolist()
    assert by_quantile["TimeGPT-q-90"].tolist() == by_level["TimeGPT-hi-80"].tolist()


def test_history_adds_fitted_values(client: NixtlaClient, frame: pd.DataFrame) -> None:
    found = client.forecast(frame, h=3, model="airline", add_history=True)

    assert (found.groupby("unique_id").size() == len(AIRLINE) - 24 + 3).all()


def test_times_may_be_integers(client: NixtlaClient) -> None:
    frame = pd.DataFrame({"unique_id": "x", "ds": range(len(AIRLINE)), "y": AIRLINE})

    assert client.forecast(frame, h=2, freq=1, model="airline").ds.tolist() == [144, 145]


def test_past_rows_are_forecast_from_earlier_ones(client: NixtlaClient, frame: pd.DataFrame) -> None:
    found = client.cross_validation(frame, h=12, n_windows=2, level=[80], model="airline")

    assert len(found) == 2 * 2 * 12
    assert found.cutoff.nunique() == 2
    assert found.y[found.unique_id == "one"].tolist() == AIRLINE[-24:]


@pytest.mark.filterwarnings("ignore:detect_anomalies")
def test_a_strange_value_is_an_anomaly(client: NixtlaClient, frame: pd.DataFrame) -> None:
    last = frame.ds.max()
    frame.loc[(frame.unique_id == "one") & (frame.ds == last), "y"] = 2000.0

    online = client.detect_anomalies_online(frame, h=6, detection_size=6, level=95, model="airline")
    all_rows = client.detect_anomalies(frame, level=95, model="airline")

    for found in (online, all_rows):
        strange = found[(found.unique_id == "one") & (found.ds == last)]
        assert strange.anomaly.tolist() == [True]
        assert strange["TimeGPT-hi-95"].iloc[0] < 2000


def test_a_body_of_more_than_a_megabyte_comes_compressed(client: NixtlaClient, frame: pd.DataFrame) -> None:
    one = frame[frame.unique_id == "one"]
    many = pd.concat([one.assign(unique_id=f"{number:05}") for number in range(5000)])

    whole = client.forecast(many, h=2, level=[80], model="airline")

    assert len(whole) == 10_000
    assert whole.equals(client.forecast(many, h=2, level=[80], model="airline", num_partitions=3))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"finetune_steps": 5}, "train with `python -m training`"),
        ({"h": 13}, "airline forecasts 12 values"),
        ({"level": [99]}, "the highest that can be had is 98.36"),
        ({"model": "nobody"}, "no such model"),
        ({"multivariate": True}, "every series is forecast for itself"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(
    client: NixtlaClient, frame: pd.DataFrame, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ApiError, match=words):
        client.forecast(frame, **({"h": 1, "model": "airline"} | options))


def test_another_frequency_is_refused_with_both_named(client: NixtlaClient) -> None:
    frame = pd.DataFrame({"unique_id": "x", "ds": pd.date_range("2024", periods=len(AIRLINE)), "y": AIRLINE})

    with pytest.raises(ApiError, match="'MS', not 'D'"):
        client.forecast(frame, h=1, model="airline")


def test_jobs_and_fine_tuning_are_refused_in_words(client: NixtlaClient, frame: pd.DataFrame) -> None:
    with pytest.raises(ApiError, match="nothing is trained on request"):
        client.finetune(frame, model="airline")
    with pytest.raises(Exception, match="jobs are not run here"):
        client.jobs.forecast(frame, h=1, model="airline")


def test_with_api_keys_on_the_key_is_what_the_client_was_given(dated_with_key: Server) -> None:
    frame = pd.DataFrame({"unique_id": "x", "ds": range(len(AIRLINE)), "y": AIRLINE})
    good, bad = (NixtlaClient(api_key=key, base_url=dated_with_key.url, max_retries=1) for key in ("secret", "other"))

    assert good.validate_api_key(log=False)
    assert len(good.forecast(frame, h=2, freq=1, model="airline")) == 2
    assert not bad.validate_api_key(log=False)
    with pytest.raises(ApiError, match="401"):
        bad.forecast(frame, h=2, freq=1, model="airline")
