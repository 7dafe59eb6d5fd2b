#!/bin/sh
# Rolling update: replace the running replicas of `service` by new ones, behind the proxy, without downtime. Run it in
# the checkout after `docker compose build`, with COMPOSE_FILE=compose.yaml:deploy/compose/proxy.yaml.
#
# The same number of new replicas is started beside the old ones. When all of them are healthy, the old ones are stopped
# one by one, with a graceful shutdown. If the new ones do not become healthy, they are removed and the old ones stay.
set -eu
old=$(docker compose ps --quiet service)
count=$(echo "$old" | grep -c .) || { echo "update: no replica of service is running" >&2; exit 1; }

if ! docker compose up --detach --wait --no-deps --no-recreate --scale "service=$((2 * count))" service; then
	for id in $(docker compose ps --all --quiet service); do
		case $old in *"$id"*) ;; *) docker rm --force "$id" >/dev/null ;; esac
	done
	echo "update: the new replicas did not become healthy and were removed; the old ones serve on" >&2
	exit 1
fi
for id in $old; do
	docker stop "$id" >/dev/null
	docker rm "$id" >/dev/null
done
