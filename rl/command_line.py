"""A dataclass of settings as a command's options, so that the two are one: `--clip-low` is the field `clip_low`."""

import ast
import inspect
import math
import textwrap
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import typer
from typer.core import TyperCommand

from prover.sources import UserInputError

T = TypeVar("T")
NONE = "none"
TEXTS: dict[Any, str] = {str: "TEXT", int: "N", float: "X", Path: "PATH"}


def options_of(config: type[T]) -> Callable[[Callable[[T], None]], Callable[..., None]]:
    """Makes a typer command of a function of a dataclass: one option for each field, and of each dataclass in it.

    A field's `metadata["help"]`, or the docstring below it, says what it is for, and `metadata["metavar"]` what stands
    for its value in the help. The fields of a dataclass that is a field are options of their own under a heading, that
    field's help. Types are str, int, float (never `nan` or `inf`), bool (`--x/--no-x`), Path, Literal of texts,
    `T | None` (the value `none`), and tuples of these (`0.9,0.95`). A ValueError that the dataclass raises of its
    values is what the user is told.

    Raises:
        TypeError: a field is of another type, two have one name, or a dataclass within has no default.
    """
    options = list(_options(config, ""))
    if twice := {one.name for one in options if sum(other.name == one.name for other in options) > 1}:
        raise TypeError(f"{config.__name__} has two options called {', '.join(sorted(twice))}")

    def command_of(perform: Callable[[T], None]) -> Callable[..., None]:
        def command(**given: Any) -> None:
            perform(_made(config, given))

        parameters = [_parameter(option) for option in options]
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        command.__doc__, command.__name__, command.__module__ = perform.__doc__, perform.__name__, perform.__module__
        return command

    return command_of


class HeadedCommand(TyperCommand):
    """A command whose help is plain text, with its options under their headings.

    The frames of rich, made for a few short options, cut the names of long ones off where the terminal is narrow.
    """

    def format_options(self, ctx: Any, formatter: Any) -> None:
        under: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            if record := parameter.get_help_record(ctx):
                plain = "Options" if parameter.param_type_name == "option" else "Arguments"
                name = record[0].partition(" <")[0]  # typer adds an argument's type, as Python writes it
                under.setdefault(getattr(parameter, "rich_help_panel", None) or plain, []).append((name, record[1]))
        for heading, records in under.items():
            with formatter.section(heading):
                formatter.write_dl(records, col_max=formatter.width // 3)


@dataclass(frozen=True)
class _Option:
    name: str
    type: Any
    default: Any  # MISSING where the user has to name it
    help: str
    metavar: str
    group: str


def _options(config: type, group: str, defaults: Any = None) -> Iterator[_Option]:
    """`defaults` is the dataclass whose values are the defaults, where it is not the class that has them."""
    types_of, docstrings = get_type_hints(config), _docstrings(config)
    for field in fields(config):
        kind = types_of[field.name]
        default = _default(field) if defaults is None else getattr(defaults, field.name)
        said = field.metadata.get("help") or docstrings.get(field.name, "")
        if is_dataclass(kind):
            assert isinstance(kind, type)
            if default is MISSING:
                raise TypeError(f"{config.__name__}.{field.name} has no default")
            yield from _options(kind, said.rstrip(".") or field.name.replace("_", " ").capitalize(), default)
            continue
        metavar = field.metadata.get("metavar") or _metavar(kind, f"{config.__name__}.{field.name}")
        yield _Option(field.name, kind, default, said, metavar, group)


def _docstrings(config: type) -> dict[str, str]:
    """The text below each field of the class, as its source has it."""
    try:
        body = ast.parse(textwrap.dedent(inspect.getsource(config))).body[0]
    except OSError:  # there is no source
        return {}
    assert isinstance(body, ast.ClassDef)
    return {
        field.target.id: " ".join(below.value.value.split())
        for field, below in pairwise(body.body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str)
    }


def _default(field: "Field[Any]") -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _parameter(option: _Option) -> inspect.Parameter:
    flag = "--" + option.name.replace("_", "-")
    said = option.help
    if choices := _choices(option.type):
        said = f"{said} One of {', '.join(choices)}.".strip()
    common: dict[str, Any] = {"help": said, "rich_help_panel": option.group or None}
    if option.type is bool:
        kind, default = bool, option.default
        info = typer.Option(f"{flag}/--no-{option.name.replace('_', '-')}", **common)
    else:
        # Texts, which are read here: so a bad one is refused in one sentence, and what is shown is what can be typed.
        kind, default = str, option.default if option.default is MISSING else _as_text(option.default)  # type: ignore[assignment]
        info = typer.Option(flag, metavar=option.metavar, show_default=default != "", **common)
    return inspect.Parameter(
        option.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if default is MISSING else default,
        annotation=Annotated[kind, info],
    )


def _made(config: type[T], given: Mapping[str, Any], defaults: Any = None) -> T:
    """The dataclass of what was typed, those within it too."""
    types_of, values = get_type_hints(config), {}
    for field in fields(config):  # type: ignore[arg-type]
        kind = types_of[field.name]
        default = _default(field) if defaults is None else getattr(defaults, field.name)
        if is_dataclass(kind):
            assert isinstance(kind, type)
            values[field.name] = _made(kind, given, default)
        elif kind is bool or given[field.name] == _as_text(default):
            values[field.name] = given[field.name] if kind is bool else default
        else:
            values[field.name] = _read("--" + field.name.replace("_", "-"), kind, given[field.name])
    try:
        return config(**values)
    except ValueError as error:
        raise UserInputError(str(error)) from error


def _read(flag: str, kind: Any, text: str) -> Any:
    """The value that the text of an option means.

    Raises:
        UserInputError: it means none of this type.
    """
    if _optional(kind):
        if text.strip() == NONE:
            return None
        kind = _optional(kind)
    if choices := _choices(kind):
        if text not in choices:
            raise UserInputError(f"{flag} is one of {', '.join(choices)}, not `{text}`.")
        return text
    if get_origin(kind) is tuple:
        return _read_tuple(flag, get_args(kind), text)
    if kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            what = "a whole number" if kind is int else "a number"
            raise UserInputError(f"{flag} is {what}, not `{text}`.") from None
        if not math.isfinite(number):
            raise UserInputError(f"{flag} is a number, not `{text}`.")
        return number
    return Path(text) if kind is Path else text


def _read_tuple(flag: str, kinds: tuple[Any, ...], text: str) -> tuple[Any, ...]:
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    if kinds[1:] == (...,):
        return tuple(_read(flag, kinds[0], part) for part in parts)
    if len(parts) != len(kinds):
        raise UserInputError(f"{flag} is {len(kinds)} values with commas between them, not `{text}`.")
    return tuple(_read(flag, kind, part) for kind, part in zip(kinds, parts, strict=True))


def _as_text(value: Any) -> str:
    """What is typed for the value."""
    if isinstance(value, tuple):
        return ",".join(map(_as_text, value))
    return NONE if value is None else str(value)


def _metavar(kind: Any, where: str) -> str:
    """What stands for a value of this type in the help.

    Raises:
        TypeError: no option can be of this type.
    """
    if kind is bool:
        return ""
    if _optional(kind):
        return f"{_metavar(_optional(kind), where)}|{NONE}"
    if kind in TEXTS:
        return TEXTS[kind]
    if _choices(kind):
        return "NAME"
    if get_origin(kind) is tuple and get_args(kind):
        inner = [_metavar(one, where) for one in get_args(kind) if one is not ...]
        return ",".join(inner) + (",..." if get_args(kind)[1:] == (...,) else "")
    raise TypeError(f"{where} is of the type {kind}, which no option has")


def _optional(kind: Any) -> Any:
    """What `T | None` may be other than None; nothing for another type."""
    if get_origin(kind) not in (Union, types.UnionType):
        return None
    inner = [one for one in get_args(kind) if one is not type(None)]
    return inner[0] if len(inner) == 1 else None


def _choices(kind: Any) -> tuple[str, ...]:
    """The texts of a Literal, also of one that may be None; none for another type."""
    kind = _optional(kind) or kind
    return get_args(kind) if get_origin(kind) is Literal else ()
