"""The most common implementation: a FastAPI route that calls Keras' `model.predict`."""

import keras
import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel

model = keras.saving.load_model("models/lstm/1/model.keras")
app = FastAPI()


class WindowBody(BaseModel):
    """One window."""

    window: list[float]


@app.post("/predict/lstm")
def predict(body: WindowBody) -> dict[str, float]:
    """One prediction."""
    window = np.array(body.window).reshape(1, -1, 1)
    return {"prediction": float(model.predict(window, verbose=0)[0, 0])}
