#!/bin/bash
# Exit status 0 if the shop in this container is alive. By the shell alone: a Node process every few seconds would cost more
# than the shop does at rest, and the image has neither curl nor wget.
exec 3<>"/dev/tcp/127.0.0.1/${PORT:-4000}" || exit 1
printf 'GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
read -r -t 2 status <&3 || exit 1
[[ $status == 'HTTP/1.1 200 '* ]]
