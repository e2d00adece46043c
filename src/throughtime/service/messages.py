"""The requests and answers of the server, as its OpenAPI describes them."""

import json
from math import isfinite
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr
from starlette.responses import JSONResponse

from throughtime._errors import InputError

MOST_LEVELS = 20
Value = StrictStr | StrictBool | StrictInt | StrictFloat | None
ROWS = "One row for each series and time, with the covariates of the model."
Rows = Annotated[list[dict[StrictStr, Value]], Field(min_length=1, description=ROWS)]
Level = Annotated[StrictInt | StrictFloat, Field(json_schema_extra={"minimum": 1, "exclusiveMaximum": 100})]


class ForecastRequest(BaseModel):
    """The series to forecast: those of the model, or of rows."""

    model_config = ConfigDict(extra="forbid")
    series: list[StrictStr] | None = Field(None, description="Names of the model's series; all by default.")
    rows: Rows | None = Field(None, description="Rows of other series, or longer histories, in place of the model's.")
    future: Rows | None = Field(None, description="The future covariates of the whole horizon of the model.")
    horizon: StrictInt | None = Field(None, description="Steps ahead; by default those of the model, the most.")
    level: list[Level] = Field([80, 95], max_length=MOST_LEVELS, description="Coverage of intervals in per cent.")


class UpdateRequest(BaseModel):
    """Rows after the ends of their series, and rows of new series; those without a value bring future covariates."""

    model_config = ConfigDict(extra="forbid")
    rows: Rows


class Forecasts(BaseModel):
    """For each series its name, and lists: time stamps, medians and bounds of intervals."""

    forecasts: list[dict[str, Any]]


class Grown(BaseModel):
    """A series that has new rows."""

    unique_id: str | int | float
    steps: int


class Updated(BaseModel):
    """The series that have new rows."""

    series: list[Grown]


class Health(BaseModel):
    """The state of the server and its model."""

    status: str
    series: int
    horizon: int
    frequency: str
    throughtime: str


class Problem(BaseModel):
    """The reason why a request was refused, with the fields of an ``InputError``."""

    model_config = ConfigDict(extra="allow")
    error: str
    code: str


class Answer(JSONResponse):
    """JSON in ASCII: any text can be written so."""

    def render(self, content: Any) -> bytes:
        """Return the bytes of a JSON value."""
        return json.dumps(content, allow_nan=False).encode()


def problem(message: str, status: int, code: str, headers: dict[str, str] | None = None, **fields: Any) -> Answer:
    """Return the answer to a request that is refused."""
    known = {name: _finite(value) for name, value in fields.items()}
    return Answer({"error": message, "code": code, **known}, status, headers)


def input_problem(error: InputError) -> Answer:
    """Return the answer to a request with input that cannot be used: the words of the command line."""
    return problem(str(error), 422, **{"code": "unusable", **error.fields()})


def _finite(value: Any) -> Any:
    return str(value) if isinstance(value, float) and not isfinite(value) else value
