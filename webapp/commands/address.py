"""Where a server listens: what it can listen on, and under which name a browser reaches it."""

import errno
import fcntl
import ipaddress
import socket
import struct
from collections.abc import Iterator

from webapp.licensing.errors import shown
from webapp.settings import SettingsError, is_loopback

_ADDRESS_OF_INTERFACE = 0x8915  # SIOCGIFADDR
_FAR = ("192.0.2.1", 9)  # an address for documentation; nothing is sent there


def is_every_address(host: str) -> bool:
    """Whether it stands for all addresses of this machine."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def in_url(host: str) -> str:
    """The host as an address bar takes it."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def listening_address(host: str, port: int) -> str:
    """The host as the number that the server wants.

    Raises SettingsError if this machine can't listen there: the server would only crash, and two of
    them would share a port without a word.
    """
    try:
        family, kind, protocol, _, there = min(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(there)
    except (OSError, UnicodeError) as error:
        raise SettingsError(_refusal(host, port, error)) from None
    return str(there[0])


def _refusal(host: str, port: int, error: Exception) -> str:
    of_port = isinstance(error, OSError) and error.errno in (errno.EADDRINUSE, errno.EACCES)
    reason = getattr(error, "strerror", None) or "This is no host name"
    way = "Try --port." if of_port else "--host must be an address of this machine."
    return f"Can't listen on {shown(host)} port {port}: {reason}. {way}"


def own_addresses() -> list[str]:
    """The addresses under which others reach this machine; first the one that its own traffic leaves from."""
    found = dict.fromkeys((*_sends_from(), *_of_interfaces()))
    return [address for address in found if not is_loopback(address)]


def _sends_from() -> Iterator[str]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_FAR)
        except OSError:  # a network that leads nowhere else
            return
        yield probe.getsockname()[0]


def _of_interfaces() -> Iterator[str]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            try:
                answer = fcntl.ioctl(probe, _ADDRESS_OF_INTERFACE, struct.pack("256s", name.encode()[:15]))
            except OSError:  # it has none, or this system asks in another way
                continue
            yield socket.inet_ntoa(answer[20:24])
