"""Ways in which a sound archive becomes an untidy one: functions from its bytes to others."""

import struct


def end_of(data):
    return data[:-22], list(struct.unpack("<4s4H2IH", data[-22:]))


def with_end(**changes):
    def change(data):
        body, fields = end_of(data)
        names = ["mark", "disk", "start_disk", "here", "total", "length", "start", "comment"]
        for name, by in changes.items():
            fields[names.index(name)] += by
        return body + struct.pack("<4s4H2IH", *fields)

    return change


def patched(mark, offset, value):
    """Overwrite bytes of the first header of that kind."""

    def change(data):
        start = data.index(mark) + offset
        return data[:start] + value + data[start + len(value) :]

    return change


LOCAL, CENTRAL = b"PK\x03\x04", b"PK\x01\x02"

UNTIDY = [
    lambda data: data + b"\0",
    lambda data: data[:-1],
    lambda data: data[:-22],
    lambda data: data[:-23] + data[-22:],
    lambda data: b"PK\x03\x04" + data,
    lambda data: data[: data.index(CENTRAL)] + b"gap!" + data[data.index(CENTRAL) :],
    lambda data: data[:-1] + b"\x01",
    with_end(total=1),
    with_end(here=1, total=1),
    with_end(here=-1, total=-1),
    with_end(disk=1),
    with_end(start=1),
    with_end(length=-1),
    with_end(length=1, start=-1),
    patched(LOCAL, 6, b"\x01"),  # flags: encrypted
    patched(CENTRAL, 8, b"\x01"),
    patched(CENTRAL, 8, b"\x08"),  # data descriptor
    patched(LOCAL, 8, b"\x08"),  # method
    patched(CENTRAL, 10, b"\x08"),
    patched(LOCAL, 14, b"\0\0\0\0"),  # CRC
    patched(LOCAL, 18, b"\x01"),  # stored size
    patched(CENTRAL, 20, b"\x01"),
    patched(LOCAL, 22, b"\xff\xff\xff\xff"),  # size in a Zip64 field that is not there
    patched(CENTRAL, 24, b"\xff\xff\xff\xff"),
    patched(LOCAL, 30, b"X"),  # name
    patched(CENTRAL, 34, b"\x01"),  # disk
    patched(CENTRAL, 42, b"\x01"),  # offset
    patched(CENTRAL, 46, b"\xff"),  # name not ASCII
    patched(CENTRAL, 28, b"\xff\xff"),  # length of the name
    patched(CENTRAL, 30, b"\xff\xff"),  # length of the extra field
    patched(CENTRAL, 32, b"\x01"),  # comment
]
