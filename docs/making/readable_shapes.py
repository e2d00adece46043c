"""A readable reference: shapes in signatures, and docstrings as Markdown.

``Inputs`` becomes ``Array[T, D] | Array[B, T, D]``; the docstrings' reStructuredText tables and roles become Markdown.
"""

import ast
import re
from pathlib import Path
from typing import Any

import griffe

SHAPES = Path(__file__).parents[2] / "src" / "throughtime" / "_types.py"
ARRAY = re.compile(r"\b(?:Float|Int|Shaped)\[(?:\w+\.)?(?:Array|ndarray), '([^']*)'\]")
ROLE = re.compile(r":(?:func|class|meth|attr|mod):`([^`]+)`")
RULER = re.compile(r"=+(?: +=+)+")
FLAGS = re.compile(r"\bBool\[(?:\w+\.)?(?:Array|ndarray), '([^']*)'\]")


def letters(shape: str) -> str:
    """Return the axes, separated by commas: ``GH D`` is ``G*H, D``, and any leading axes are ``...``."""
    return ", ".join("..." if axis.startswith("*") else axis.replace("GH", "G*H") for axis in shape.split())


def aliases() -> dict[str, str]:
    """Return the array types behind the names of _types.py."""
    found = {"Key": "Key"}
    for line in ast.parse(SHAPES.read_text()).body:
        match line:
            case ast.Assign(value=ast.Call(func=ast.Name("TypeAliasType"), args=[ast.Constant(name), value])):
                found.setdefault(name, readable(ast.unparse(value), {}))
    return {name: said for name, said in found.items() if "[" in said}


def readable(annotation: str, names: dict[str, str]) -> str:
    """Return the annotation with arrays written by their letters."""
    text = annotation.replace('"', "'")
    text = ARRAY.sub(lambda found: f"Array[{letters(found[1])}]" if found[1] else "Array[()]", text)
    text = FLAGS.sub(lambda found: f"Bool[{letters(found[1])}]", text)
    return re.sub(r"\w+(?:\.\w+)*", lambda found: names.get(found[0].rpartition(".")[2], found[0]), text)


def markdown(text: str) -> str:
    """Return a docstring as Markdown: tables between rulers of ``=``, ``Equations::``, roles, and code in examples."""
    lines, out = ROLE.sub(r"`\1`", text).splitlines(), list[str]()
    inside, second = False, 0
    for line in lines:
        if RULER.fullmatch(line.strip()):
            if not inside:
                second = line.rindex(" ") + 1
                out += ["| | |", "|---|---|"]
            inside = not inside
        elif inside and line[:second].strip():
            out.append(f"| {line[:second].strip()} | {line[second:].strip()} |")
        elif inside:  # a cell with a second line
            out[-1] = f"{out[-1][:-2]} {line.strip()} |"
        else:
            line = re.sub(r"^Example:$", "Examples:", line)  # mkdocstrings knows code by this name alone
            out.append(re.sub(r"(\S)::$", r"\1:", line))
    return "\n".join(out)


class ReadableShapes(griffe.Extension):
    """The extension that rewrites annotations with arrays."""

    def __init__(self) -> None:
        self.names = aliases()

    def changed(self, annotation: Any) -> Any:
        """Return a string if the annotation has arrays, else the annotation unchanged."""
        if annotation is None:
            return None
        said = readable(str(annotation), self.names)
        return annotation if said == str(annotation) else said

    def on_module_instance(self, *, mod: griffe.Module, **_: Any) -> None:
        """Its docstring."""
        self.tidy(mod)

    def on_class_instance(self, *, cls: griffe.Class, **_: Any) -> None:
        """Its docstring."""
        self.tidy(cls)

    def tidy(self, thing: griffe.Object) -> None:
        """Convert the docstring to Markdown."""
        if thing.docstring:
            thing.docstring.value = markdown(thing.docstring.value)

    def on_function_instance(self, *, func: griffe.Function, **_: Any) -> None:
        """Convert the parameters, the result and the docstring."""
        self.tidy(func)
        for parameter in func.parameters:
            parameter.annotation = self.changed(parameter.annotation)
        func.returns = self.changed(func.returns)

    def on_attribute_instance(self, *, attr: griffe.Attribute, **_: Any) -> None:
        """Convert a field's type and docstring."""
        self.tidy(attr)
        attr.annotation = self.changed(attr.annotation)
