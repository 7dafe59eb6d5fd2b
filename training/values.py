"""`Values`: the arrays that training computes with; models themselves take and give float32."""

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
