"""From the name of a road to a Lean that can be started on it."""

from collections.abc import Callable

from lean_env.road import Road, RoadName


def open_road(name: RoadName, progress: Callable[[str, int, int], None] | None = None) -> Road:
    """The Lean of that name, installed first if it is the WebAssembly one.

    Raises:
        SetupError: it is not there and cannot be installed.
    """
    if name == "native":
        from lean_env.native.road import native_road

        return native_road()
    from lean_env.wasm.prepare import ready_road

    return ready_road(progress)
