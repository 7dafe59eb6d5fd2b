from pathlib import Path

import numpy as np
import pytest

from artifact import CardDraft, verify, versions
from tests.repository import SHIPPED
from training.publish import PublishError, publish_all
from training.train import HeldOut, Trained


def shipped(name: str) -> Trained:
    card, files = verify(SHIPPED, name, 1)
    draft = {key: value for key, value in card.model_dump().items() if key not in ("version", "created", "files")}
    held_out = HeldOut(np.zeros((1, card.window)), "MAE", lambda _forecasts: 0.0, 0.0)
    return Trained(CardDraft.model_validate(draft), files, held_out)


def test_a_model_that_cannot_be_written_is_named_with_what_was_published_and_what_was_not(
    tmp_path: Path,
) -> None:
    (tmp_path / "mlp").symlink_to("/proc/self/fdinfo")

    with pytest.raises(PublishError) as raised:
        publish_all(tmp_path, [shipped("lstm"), shipped("mlp")], None)

    assert str(raised.value).startswith(f"{tmp_path}/mlp: cannot be written: ")
    assert str(raised.value).endswith("; lstm/1 published; not published: mlp")
    assert versions(tmp_path, "lstm") == [1]
