"""A well-written FastAPI application: ordinary async routes with the service's engine and number validation."""

from pathlib import Path
from typing import Annotated

import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

from artifact import verify
from service.inference.engine import LiteRTEngine
from service.protocols.native.body import Float32
from service.protocols.native.schemas import Prediction

engine = LiteRTEngine(verify(Path("models"), "lstm", 1))
app = FastAPI()


class WindowBody(BaseModel):
    """One window."""

    model_config = ConfigDict(extra="forbid")

    window: Annotated[list[Float32], Field(min_length=5, max_length=5)]


class Predictions(BaseModel):
    """A prediction for each window."""

    predictions: list[float]


@app.post("/predict/lstm")
async def predict(body: WindowBody) -> Prediction:
    """One prediction."""
    prediction = float(engine.predict(np.array([body.window], np.float32))[0, 0])
    outside = min(body.window) < 0 or max(body.window) > 103  # noqa: PLR2004 - the shipped model's range
    return Prediction(model="lstm", version=1, prediction=prediction, extrapolated=outside)


@app.post("/predict/lstm/batch")
async def predict_batch(body: list[list[float]]) -> Predictions:
    """One prediction per window."""
    return Predictions(predictions=engine.predict(np.array(body, np.float32))[:, 0].tolist())
