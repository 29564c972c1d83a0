"""`symbackprop serve`: a page on this machine where one types a forward and a gradient."""

from __future__ import annotations

import argparse
import socket

from waitress import create_server

from symbackprop.core.terms import SymbackpropError
from symbackprop.serve.app import create


def run(args: argparse.Namespace) -> int:
    if not 0 <= args.port < 65536:
        raise SymbackpropError(f"--port: {args.port} is no port")
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", args.port))
        except OSError as problem:
            raise SymbackpropError(f"cannot listen on port {args.port}: {problem.strerror or problem}") from None
        print(f"http://127.0.0.1:{listening.getsockname()[1]}  (stop with Ctrl-C)", flush=True)
        create_server(create(), sockets=[listening], threads=4, ident=None).run()
    return 0
