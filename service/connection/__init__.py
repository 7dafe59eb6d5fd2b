"""HTTP/1.1 server connections: request heads, bodies, answers, timeouts and the memory that they may take."""

from service.connection.limits import ConnectionLimits
from service.connection.memory import ConnectionPool
from service.connection.protocol import HTTPConnection

__all__ = ["ConnectionLimits", "ConnectionPool", "HTTPConnection"]
