"""Types of arrays, and of columns made of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Arr = npt.NDArray[Any]
Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Rng = np.random.Generator
Columns = dict[str, Arr]
#: Values of columns: an array each, or one value for all rows.
Values = Mapping[str, Any]
