"""A WebAssembly module of three functions, byte by byte, laid out as the build of Lean is.

It imports a plain global `g` and, through the global offset table, its own function `f`. Functions 0, 1 and 2 return
10, 11 and 12. Slot 1 of its table of two holds function 1. Global 2 (the first of its own) is 1024, global 3 is 8 and
thread-local, global 4 is a 64-bit 7.
"""

HEAD = bytes.fromhex("00 61 73 6d  01 00 00 00")
DYLINK = bytes.fromhex("00 10  08 64 79 6c 69 6e 6b 2e 30  03 05  01 01 74 80 02")  # export info: t has flag 0x100
TYPE = bytes.fromhex("01 05  01 60 00 01 7f")  # () -> i32
IMPORT = bytes.fromhex("02 18  02  03 65 6e 76 01 67 03 7f 00  08 47 4f 54 2e 66 75 6e 63 01 66 03 7f 01")
FUNCTION = bytes.fromhex("03 04  03 00 00 00")
TABLE = bytes.fromhex("04 05  01 70 01 02 05")  # two slots, five at most
GLOBAL = bytes.fromhex("06 11  03  7f 00 41 80 08 0b  7f 00 41 08 0b  7e 00 42 07 0b")
EXPORT = bytes.fromhex(
    "07 28  09  01 66 00 00  01 61 00 01  01 62 00 02  02 62 32 00 02"  # f, a, b, b2: functions 0, 1, 2, 2
    "01 64 03 02  01 74 03 03  01 77 03 04  01 67 03 00  03 74 61 62 01 00"  # d, t, w, g: globals; tab: the table
)
ELEMENT = bytes.fromhex("09 07  01  00 41 01 0b 01 01")
CODE = bytes.fromhex("0a 10  03  04 00 41 0a 0b  04 00 41 0b 0b  04 00 41 0c 0b")

MODULE = HEAD + DYLINK + TYPE + IMPORT + FUNCTION + TABLE + GLOBAL + EXPORT + ELEMENT + CODE

# With only `b` asked for: f stays because the module imports it from itself, t because it is thread-local, tab because
# it is the table. Functions 0 and 2 get the new slots 2 and 3.
SLIM_TABLE = bytes.fromhex("04 04  01 70 00 04")
SLIM_EXPORT = bytes.fromhex("07 13  04  01 66 00 00  01 62 00 02  01 74 03 03  03 74 61 62 01 00")
SLIM_ELEMENT = bytes.fromhex("09 0e  02  00 41 01 0b 01 01  00 41 02 0b 02 00 02")
SLIM = HEAD + DYLINK + TYPE + IMPORT + FUNCTION + SLIM_TABLE + GLOBAL + SLIM_EXPORT + SLIM_ELEMENT + CODE
SYMBOLS = {"f": 2, "a": 1, "b": 3, "b2": 3, "d": 1024, "t": 8}
