"""Signatures in the reference with shapes that one can read: ``Inputs`` becomes ``Array[T, D] | Array[B, T, D]``."""

import ast
import re
from pathlib import Path
from typing import Any

import griffe

SHAPES = Path(__file__).parents[2] / "src" / "throughtime" / "shapes.py"
ARRAY = re.compile(r"\b(?:Float|Int|Shaped)\[(?:\w+\.)?(?:Array|ndarray), '([^']*)'\]")
FLAGS = re.compile(r"\bBool\[(?:\w+\.)?(?:Array|ndarray), '([^']*)'\]")


def letters(shape: str) -> str:
    """The axes, between commas: ``GH D`` is ``G*H, D``, and any leading axes are ``...``."""
    return ", ".join("..." if axis.startswith("*") else axis.replace("GH", "G*H") for axis in shape.split())


def aliases() -> dict[str, str]:
    """What each name of shapes.py stands for."""
    found = {"Key": "Key"}
    for line in ast.parse(SHAPES.read_text()).body:
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
            found.setdefault(line.targets[0].id, readable(ast.unparse(line.value), {}))
    return {name: said for name, said in found.items() if "[" in said}


def readable(annotation: str, names: dict[str, str]) -> str:
    """The annotation with arrays written by their letters."""
    text = annotation.replace('"', "'")
    text = ARRAY.sub(lambda found: f"Array[{letters(found[1])}]" if found[1] else "Array[()]", text)
    text = FLAGS.sub(lambda found: f"Bool[{letters(found[1])}]", text)
    return re.sub(r"\w+(?:\.\w+)*", lambda found: names.get(found[0].rpartition(".")[2], found[0]), text)


class ReadableShapes(griffe.Extension):
    """Rewrites the annotations of functions and attributes that have arrays in them."""

    def __init__(self) -> None:
        self.names = aliases()

    def changed(self, annotation: Any) -> Any:
        """A string where something was replaced, and the annotation as it is elsewhere."""
        if annotation is None:
            return None
        said = readable(str(annotation), self.names)
        return annotation if said == str(annotation) else said

    def on_function_instance(self, *, func: griffe.Function, **_: Any) -> None:
        """Parameters and what comes back."""
        for parameter in func.parameters:
            parameter.annotation = self.changed(parameter.annotation)
        func.returns = self.changed(func.returns)

    def on_attribute_instance(self, *, attr: griffe.Attribute, **_: Any) -> None:
        """A field's type."""
        attr.annotation = self.changed(attr.annotation)
