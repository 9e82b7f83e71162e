"""Messages between a server and its workers: a JSON header, a zero byte, then raw bytes. Nothing is unpickled."""

import json
from array import array
from multiprocessing.connection import Connection
from typing import Any, NamedTuple


class Message(NamedTuple):
    """`head` says what it is; `losses` are float32 values; `state` is a checkpoint, or empty."""

    head: dict[str, Any]
    losses: bytes = b""
    state: bytes = b""


def send(connection: Connection, message: Message) -> None:
    """Raises OSError if the other end is gone."""
    head = json.dumps({**message.head, "losses": len(message.losses)}).encode()  # JSON never holds a zero byte
    connection.send_bytes(b"\0".join((head, message.losses + message.state)))


def receive(connection: Connection) -> Message:
    """Waits for a message. Raises EOFError or OSError if the other end is gone."""
    text, _, rest = connection.recv_bytes().partition(b"\0")
    head = json.loads(text)
    count = head.pop("losses")
    return Message(head, rest[:count], rest[count:])


def floats(data: bytes) -> "array[float]":
    """The float32 values of a message."""
    values = array("f")
    values.frombytes(data)
    return values
