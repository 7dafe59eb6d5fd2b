"""Fair queue: items of several clients, taken one client after another."""

from collections import OrderedDict
from contextvars import ContextVar
from queue import Full
from typing import Generic, TypeVar

Item = TypeVar("Item")

CLIENT: ContextVar[str] = ContextVar("client", default="")  # address of the client whose request is answered


class FairQueue(Generic[Item]):
    """A round robin over clients: one with thousands of items delays those of another client by one item.

    The items of a client are taken in the order in which they were put; one that is in the queue already is not put
    again.
    """

    def __init__(self) -> None:
        self._items: OrderedDict[str, OrderedDict[Item, None]] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._items)

    def put(self, client: str, item: Item, most: int | None = None) -> None:
        """Add an item of a client. Raises queue.Full if the client has `most` others in the queue."""
        items = self._items.get(client)
        if items is None:
            items = self._items[client] = OrderedDict()
        elif most is not None and len(items) >= most and item not in items:
            raise Full
        items[item] = None

    def take(self) -> Item:
        """Remove and return the next item of the client whose turn it is. Raises KeyError if the queue is empty."""
        client, items = self._items.popitem(last=False)
        item, _ = items.popitem(last=False)
        if items:
            self._items[client] = items
        return item
