# SPDX-License-Identifier: BSD-2-Clause
"""nginx, one of the test's own."""

import os

MAIN = """\
daemon off;
worker_processes 1;
pid %(dir)s/nginx.pid;
error_log %(dir)s/nginx-error.log;
%(user)s
events { worker_connections 512; }
http {
    access_log off;
    client_body_temp_path %(dir)s/t1;
    proxy_temp_path %(dir)s/t2;
    fastcgi_temp_path %(dir)s/t3;
    uwsgi_temp_path %(dir)s/t4;
    scgi_temp_path %(dir)s/t5;
%(http)s
}
"""


def start_nginx(t, http, ports):
    """It listens at all of these ports, as http, the content of its block of
    that name, must have said."""
    user = "user root;" if os.getuid() == 0 else ""
    t.write("nginx.conf", MAIN % {"dir": t.dir, "user": user, "http": http})
    t.start("nginx", t.need("nginx"), "-p", t.dir, "-c", t.path("nginx.conf"),
            "-e", t.path("nginx-error.log"))
    for port in ports:
        t.wait_open(port, "nginx")
