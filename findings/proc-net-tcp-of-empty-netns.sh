#!/bin/sh
# Linux 6.18 (the sysctl exists since 6.1). Needs root: it works in its own network namespaces, created by unshare.
# Expected before measuring: reading /proc/net/tcp in a namespace without connections takes microseconds.
# Observed: it takes as long as in the machine's own, 4 ms with 262,144 buckets. Namespaces share one table of connections by
#   default, and the kernel looks into each bucket (`established_get_first` in net/ipv4/tcp_ipv4.c). A namespace whose
#   creator was in one with the sysctl net.ipv4.tcp_child_ehash_entries has a table of that size of its own, and reading
#   it takes a small part of that.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# shellcheck disable=SC2016 # The inner shell expands these.
measure='
	for _ in $(seq 15); do
		from=$(date +%s%N)
		for _ in $(seq 20); do read -r -d "" _ </proc/thread-self/net/tcp || true; done
		echo "$((($(date +%s%N) - from) / 20000))"
	done | sort -n | sed -n 8p
'
{
	echo "shared $(unshare --net bash -eu -c "$measure")"
	# shellcheck disable=SC2016
	echo "own $(unshare --net sh -eu -c 'echo 1024 >/proc/sys/net/ipv4/tcp_child_ehash_entries; unshare --net bash -eu -c "$1"' sh "$measure")"
} | tee "$dir/seen.txt"
awk '{ took[$1] = $2 } END { ratio = took["shared"] / took["own"]; printf "with a table of its own, reading takes a %.0fth\n", ratio; exit !(ratio > 3) }' "$dir/seen.txt"
echo 'Still the same.'
