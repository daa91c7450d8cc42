# The C library called from another language, with nothing but what docs/c-api.md says about its structures.
# Usage: foreign_test.py LIBRARY
import ctypes
import sys


class Bytes(ctypes.Structure):
    _fields_ = [("data", ctypes.c_char_p), ("size", ctypes.c_size_t)]


RELEASE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint64)


class Handle(ctypes.Structure):
    _fields_ = [("pointer", ctypes.c_void_p), ("type", ctypes.c_uint64), ("release", RELEASE)]


class As(ctypes.Union):
    _fields_ = [("boolean", ctypes.c_bool), ("integer", ctypes.c_int64), ("natural", ctypes.c_uint64),
                ("real", ctypes.c_double), ("bytes", Bytes), ("handle", Handle)]


class Value(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_uint32), ("owned", ctypes.c_uint32), ("as_", As), ("memory", ctypes.c_void_p)]


class Result(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int32), ("found", ctypes.c_bool), ("changed", ctypes.c_bool), ("value", Value)]


class Created(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int32), ("map", ctypes.c_void_p)]


class Count(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int32), ("count", ctypes.c_size_t)]


class Entry(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int32), ("found", ctypes.c_bool), ("key", Value), ("value", Value)]


library = ctypes.CDLL(sys.argv[1])
for name, result, arguments in [
    ("create", Created, [ctypes.c_void_p]), ("destroy", None, [ctypes.c_void_p]),
    ("load", Result, [ctypes.c_void_p, Value]), ("store", Result, [ctypes.c_void_p, Value, Value]),
    ("erase", Result, [ctypes.c_void_p, Value]), ("size", Count, [ctypes.c_void_p]),
    ("flush", ctypes.c_int32, [ctypes.c_void_p]), ("release", None, [Value]),
    ("cursor_open", Created, [ctypes.c_void_p, ctypes.c_uint32]), ("cursor_next", Entry, [ctypes.c_void_p]),
    ("cursor_close", None, [ctypes.c_void_p]), ("message", ctypes.c_char_p, [ctypes.c_int32]),
]:
    function = getattr(library, "syncmap_" + name)
    function.restype, function.argtypes = result, arguments
    globals()[name] = function


def text(s):
    value = Value(kind=5)
    value.as_.bytes = Bytes(s, len(s))
    return value


def integer(n):
    value = Value(kind=2)
    value.as_.integer = n
    return value


# A Python object lives in the map as a handle: its address here, and a reference to it in `objects`.
objects = {}


def forget(pointer, type_):
    del objects[pointer]


forget_callback = RELEASE(forget)


def handle(thing):
    objects[id(thing)] = thing
    value = Value(kind=6)
    value.as_.handle = Handle(id(thing), 1, forget_callback)
    return value


assert ctypes.sizeof(Value) == 40 and ctypes.sizeof(Result) == 48 and ctypes.sizeof(Entry) == 88
numbers = create(None).map
assert store(numbers, text(b"answer"), integer(42)).changed
answer = load(numbers, text(b"answer"))
assert answer.found and answer.value.kind == 2 and answer.value.as_.integer == 42

assert store(numbers, integer(1), text(b"one")).changed
one = load(numbers, integer(1))
assert one.value.as_.bytes.data == b"one" and one.value.owned == 1
release(one.value)

thing = ["any", "object"]
assert store(numbers, text(b"object"), handle(thing)).changed
found = load(numbers, text(b"object"))
assert objects[found.value.as_.handle.pointer] is thing
assert size(numbers).count == 3

cursor = cursor_open(numbers, 0).map
kinds = []
while True:
    entry = cursor_next(cursor)
    if not entry.found:
        break
    kinds.append(entry.value.kind)
cursor_close(cursor)
assert sorted(kinds) == [2, 5, 6]

assert erase(numbers, text(b"object")).changed
flush(numbers)
assert len(objects) == 1  # `found` still has it
release(found.value)
assert len(objects) == 0
assert store(None, integer(1), integer(1)).status == 1 and b"invalid" in message(1)
destroy(numbers)
