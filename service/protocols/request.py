"""`JSONRequest`: strict parsing of a JSON request body; the first error becomes the message."""

from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from service.inference.errors import BadInput, NotJSON


class JSONRequest(BaseModel):
    """A request of a protocol whose errors are one text; numbers in strings are refused."""

    model_config = ConfigDict(strict=True)

    @classmethod
    def parse(cls, content: bytes | memoryview) -> Self:
        """Parse and validate the bytes of a request. Raises NotJSON or BadInput."""
        try:
            return cls.model_validate_json(bytes(content))
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise NotJSON(f"The body is not JSON: {first['msg'].removeprefix('Invalid JSON: ')}")
        raise BadInput(cls.describe(first))

    @classmethod
    def describe(cls, problem: ErrorDetails) -> str:
        """Error message of a validation error: its location, then what is wrong."""
        return f"{'.'.join(map(str, problem['loc'])) or 'The body'}: {problem['msg']}"
