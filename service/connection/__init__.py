"""HTTP/1.1 server connections: request heads and bodies, responses, timeouts and the memory budget."""

from service.connection.limits import ConnectionLimits
from service.connection.memory import ConnectionPool
from service.connection.protocol import HTTPConnection

__all__ = ["ConnectionLimits", "ConnectionPool", "HTTPConnection"]
