"""`Values`: arrays in training, float64; models take and return float32."""

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
