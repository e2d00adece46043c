"""statsforecast's AutoETS, from a file of one monthly series to a file of forecasts, as a short script does it."""

import argparse
from pathlib import Path

import pandas as pd
from statsforecast.models import AutoETS


def main() -> None:
    """Read, forecast, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--horizon", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    values = pd.read_csv(args.file).iloc[:, 1].to_numpy(float)
    found = AutoETS(season_length=12).forecast(y=values, h=args.horizon, level=[80, 95])
    args.out.mkdir(exist_ok=True)
    pd.DataFrame(found).to_csv(args.out / "forecasts.csv", index=False)


if __name__ == "__main__":
    main()
