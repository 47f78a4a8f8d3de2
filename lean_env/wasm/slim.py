"""Rewrites `lean.wasm` so that a thread does not have to handle 200,000 exports when it starts.

The build exports every symbol of Lean, and on load its JavaScript puts each exported function into the function
table, one by one, in every thread. Here that table is laid out once, in an element segment of the module itself; what
remains exported is what the JavaScript calls by name. `dlsym`, through which Lean's interpreter finds compiled code,
then answers from a map: symbol name -> table slot (functions) or address (data).

Format: WebAssembly core specification 2.0, chapter 5 (binary format).
"""

from dataclasses import dataclass

IMPORT, TABLE, GLOBAL, EXPORT, ELEMENT = 2, 4, 6, 7, 9
DYLINK_EXPORT_INFO, SYMBOL_TLS = 3, 0x100
FUNCTION_KIND, TABLE_KIND, MEMORY_KIND, GLOBAL_KIND = 0, 1, 2, 3


class WasmError(Exception):
    """The module uses a form that this rewriter, written for one pinned build, does not know."""


@dataclass
class Reader:
    """A cursor over the bytes of a module."""

    data: bytes
    at: int = 0

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def unsigned(self) -> int:
        """An unsigned LEB128 number."""
        result = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            result |= (byte & 0x7F) << shift
            if byte < 0x80:
                return result
            shift += 7

    def signed(self) -> int:
        """A signed LEB128 number."""
        result = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            result |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return result - (1 << shift) if byte & 0x40 else result

    def name(self) -> str:
        size = self.unsigned()
        self.at += size
        return self.data[self.at - size : self.at].decode()

    def constant(self) -> int | None:
        """The value of an `i32.const` initialiser; None for another one-instruction initialiser."""
        opcode = self.byte()
        if opcode in (0x41, 0x42):
            value: int | None = self.signed()
        elif opcode in (0x43, 0x44):
            self.at += 4 if opcode == 0x43 else 8
            value = None
        elif opcode in (0x23, 0xD2):
            self.unsigned()
            value = None
        else:
            raise WasmError(f"initialiser with opcode {opcode:#x}")
        if self.byte() != 0x0B:
            raise WasmError("initialiser of several instructions")
        return value if opcode == 0x41 else None


def unsigned(value: int) -> bytes:
    """`value` as unsigned LEB128."""
    out = bytearray()
    while True:
        byte = value & 0x7F
        value >>= 7
        out.append(byte | (0x80 if value else 0))
        if not value:
            return bytes(out)


def signed(value: int) -> bytes:
    """`value`, not negative, as signed LEB128."""
    out = bytearray()
    while True:
        byte = value & 0x7F
        value >>= 7
        done = value == 0 and not byte & 0x40
        out.append(byte | (0 if done else 0x80))
        if done:
            return bytes(out)


def sections(module: bytes) -> list[tuple[int, bytes]]:
    """The sections of a module as (id, content)."""
    if module[:8] != b"\0asm\1\0\0\0":
        raise WasmError("not a WebAssembly module of version 1")
    reader, found = Reader(module, 8), []
    while reader.at < len(module):
        kind, size = reader.byte(), reader.unsigned()
        found.append((kind, module[reader.at : reader.at + size]))
        reader.at += size
    return found


def imported(content: bytes) -> tuple[set[str], int]:
    """Names that the module imports through its global offset table, and how many globals it imports."""
    reader, names, global_count = Reader(content), set(), 0
    for _ in range(reader.unsigned()):
        module, name, kind = reader.name(), reader.name(), reader.byte()
        if module.startswith("GOT."):
            names.add(name)
        if kind == FUNCTION_KIND:
            reader.unsigned()
        elif kind in (TABLE_KIND, MEMORY_KIND):
            if kind == TABLE_KIND:
                reader.byte()
            flags = reader.unsigned()
            reader.unsigned()
            if flags & 1:
                reader.unsigned()
        elif kind == GLOBAL_KIND:
            reader.at += 2
            global_count += 1
        else:
            raise WasmError(f"import of kind {kind}")
    return names, global_count


def thread_local(dylink: bytes) -> set[str]:
    """Names of the exports that live in thread-local storage, from the `dylink.0` section (its export-info part)."""
    reader, names = Reader(dylink), set()
    reader.name()
    while reader.at < len(dylink):
        part, size = reader.byte(), reader.unsigned()
        end = reader.at + size
        if part == DYLINK_EXPORT_INFO:
            for _ in range(reader.unsigned()):
                name, flags = reader.name(), reader.unsigned()
                if flags & SYMBOL_TLS:
                    names.add(name)
        reader.at = end
    return names


def table_slots(content: bytes) -> dict[int, int]:
    """Function index -> its slot, for the active segments of table 0."""
    reader, slots = Reader(content), {}
    for _ in range(reader.unsigned()):
        if reader.unsigned() != 0:
            raise WasmError("element segment that is not a plain active one")
        offset = reader.constant()
        if offset is None:
            raise WasmError("element segment without a constant offset")
        for slot in range(offset, offset + reader.unsigned()):
            slots[reader.unsigned()] = slot
    return slots


def slim_wasm(module: bytes, kept_exports: set[str]) -> tuple[bytes, dict[str, int]]:
    """The module with only `kept_exports` (and what it imports from itself) exported, and the symbol map for `dlsym`.

    Raises:
        WasmError: the module is not laid out as the pinned build is.
    """
    parts = sections(module)
    by_id = {kind: content for kind, content in parts if kind}
    own_imports, global_base = imported(by_id[IMPORT])
    kept_exports = kept_exports | own_imports | thread_local(next(content for kind, content in parts if kind == 0))

    reader = Reader(by_id[GLOBAL])
    constants: list[int | None] = []
    for _ in range(reader.unsigned()):
        reader.at += 2
        constants.append(reader.constant())

    reader = Reader(by_id[TABLE])
    if reader.unsigned() != 1:
        raise WasmError("more than one table")
    element_type, flags, table_size = reader.byte(), reader.unsigned(), reader.unsigned()

    slots = table_slots(by_id[ELEMENT])
    added: list[int] = []
    symbols: dict[str, int] = {}
    exports: list[bytes] = []
    reader = Reader(by_id[EXPORT])
    for _ in range(reader.unsigned()):
        start = reader.at
        name, kind, index = reader.name(), reader.byte(), reader.unsigned()
        if name in kept_exports or kind in (TABLE_KIND, MEMORY_KIND):
            exports.append(by_id[EXPORT][start : reader.at])
        if kind == FUNCTION_KIND:
            if index not in slots:
                slots[index] = table_size + len(added)
                added.append(index)
            symbols[name] = slots[index]
        elif kind == GLOBAL_KIND and index >= global_base:
            value = constants[index - global_base]
            if value is not None:
                symbols[name] = value

    segment = b"\0\x41" + signed(table_size) + b"\x0b" + unsigned(len(added)) + b"".join(map(unsigned, added))
    reader = Reader(by_id[ELEMENT])
    count = reader.unsigned()
    new = {
        TABLE: unsigned(1) + bytes([element_type, flags & ~1]) + unsigned(table_size + len(added)),
        EXPORT: unsigned(len(exports)) + b"".join(exports),
        ELEMENT: unsigned(count + 1) + by_id[ELEMENT][reader.at :] + segment,
    }
    out = [module[:8]]
    for kind, content in parts:
        content = new.get(kind, content) if kind else content
        out += [bytes([kind]), unsigned(len(content)), content]
    return b"".join(out), symbols
