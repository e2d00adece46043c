"""Fracast-0 with its defaults and the weights of its wheel; it finds seasons by itself, and has the nine deciles."""

import numpy as np
import zero_shot_task
from fracast import FracastModel


def main() -> None:
    """Forecast every window; NaN at levels that the model does not have."""
    task = zero_shot_task.asked()
    model = FracastModel.from_pretrained()
    places = [task.levels.index(round(level, 9)) for level in model.quantiles]
    answers = []
    for history in task.histories:
        quantiles = np.full((task.horizon, len(task.levels)), np.nan)
        quantiles[:, places] = model.forecast(history, horizon=task.horizon)
        answers.append(quantiles)
    zero_shot_task.write(task, answers)


if __name__ == "__main__":
    main()
