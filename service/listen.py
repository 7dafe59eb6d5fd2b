"""The listening socket, bound before anything is loaded, so that a taken port is reported at once."""

import errno
import socket


class CannotListen(Exception):
    """The address cannot be bound; the text says why and what to do, in one line."""


def bind(host: str, port: int) -> socket.socket:
    """Bind a socket to the address, without listening. Raises CannotListen."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError):
        raise CannotListen(f"the host '{host}' does not resolve; LAGCAST_HOST or --host names another") from None
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        # Inherited by every connection: what a client does not read stays in this process, where it is counted.
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, 2**17)
        bound.bind(address)
        bound.set_inheritable(True)
    except OSError as error:
        bound.close()
        raise CannotListen(_explain(error, host, port)) from None
    return bound


def _explain(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is taken: address already in use; try make serve PORT=8080, or --port 8080"
    if error.errno == errno.EACCES:
        return f"port {port} of {host} needs more rights than this user has; try make serve PORT=8080, or --port 8080"
    return f"cannot listen on port {port} of {host}: {error.strerror}"
