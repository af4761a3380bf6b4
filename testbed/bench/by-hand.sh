#!/bin/sh
# The connections of the six types as people trace them by hand: two namespaces, iptables-restore, listeners by nc, `nft monitor trace`. The bench compares the testbed with it.
# Usage: by-hand.sh DUMP. Prints the trace, which is for the reader to take apart: nothing here is judged, no rule text is looked up, no lost event is noticed.
# It waits for nothing longer than it must. A person would write `sleep 1` where this polls.
set -eu

dump=$1
name=by-hand-$$
pod=$name-pod
outside=$name-outside
folder=$(mktemp -d)
started=

end() {
	for pid in $started; do
		kill "$pid" 2>/dev/null || true
	done
	wait
	ip netns delete "$pod" 2>/dev/null || true
	ip netns delete "$outside" 2>/dev/null || true
	rm -rf "$folder"
}
trap end EXIT

# as NAMESPACE UID COMMAND… replaces the shell, so call it in one of its own: the process of a listener then is the one that is killed in the end.
as() {
	namespace=$1 user=$2
	shift 2
	exec ip netns exec "$namespace" setpriv --reuid "$user" --regid "$user" --clear-groups "$@"
}

# listen NAMESPACE UID PORT
listen() {
	as "$1" "$2" nc -l -k -n "$3" >/dev/null 2>&1 &
	started="$started $!"
}

# connect NAMESPACE UID [OPTION…] ADDRESS PORT
connect() {
	(as "$@") >/dev/null 2>&1 || echo "not answered: $*" >&2
}

ip netns add "$pod"
ip netns add "$outside"
ip -n "$pod" link add eth0 type veth peer name eth0 netns "$outside"
for namespace in "$pod" "$outside"; do
	ip -n "$namespace" link set lo up
	ip -n "$namespace" link set eth0 up
done
ip -n "$pod" address add 10.244.1.10/24 dev eth0
for address in 10.244.1.20 10.244.1.21 10.244.1.22 10.96.1.20; do
	ip -n "$outside" address add "$address/24" dev eth0
done
ip -n "$pod" route add 10.96.0.0/12 via 10.244.1.20

ip netns exec "$pod" iptables-nft-restore <"$dump"
ip netns exec "$pod" nft -f - <<-'RULES'
	table ip by_hand {
		chain prerouting { type filter hook prerouting priority -350; meta l4proto tcp meta nftrace set 1; }
		chain output { type filter hook output priority -350; meta l4proto tcp meta nftrace set 1; }
	}
RULES

listen "$pod" 1000 8080
for port in 15001 15006 15090; do
	listen "$pod" 1337 "$port"
done
listen "$outside" 0 8080
listen "$outside" 0 15012
ip netns exec "$pod" nft monitor trace >"$folder/trace" &
started="$started $!"

# Ready once the last listener of each namespace listens. Nothing shows that the monitor does: a person waits.
until [ "$(ip netns exec "$pod" ss -Hltn | wc -l)" -ge 4 ] && [ "$(ip netns exec "$outside" ss -Hltn | wc -l)" -ge 2 ]; do
	:
done
sleep 0.1

# Type 1: from outside to the app, and on from the proxy. Type 2: from the app to a service outside, and on.
connect "$outside" 0 nc -z -n -w 2 10.244.1.10 8080
connect "$pod" 1337 nc -z -n -w 2 -s 127.0.0.6 10.244.1.10 8080
connect "$pod" 1000 nc -z -n -w 2 10.96.1.20 8080
connect "$pod" 1337 nc -z -n -w 2 10.244.1.20 8080
# Type 3: a scrape of the proxy. Type 4: from the app to itself.
connect "$outside" 0 nc -z -n -w 2 -s 10.244.1.22 10.244.1.10 15090
connect "$pod" 1000 nc -z -n -w 2 127.0.0.1 8080
# Type 5: from the proxy to the control plane. Type 6: from the app to its own service, by way of the proxy, twice.
connect "$pod" 1337 nc -z -n -w 2 10.244.1.21 15012
connect "$pod" 1000 nc -z -n -w 2 10.96.1.10 8080
connect "$pod" 1337 nc -z -n -w 2 10.244.1.10 8080
connect "$pod" 1337 nc -z -n -w 2 -s 127.0.0.6 10.244.1.10 8080

sleep 0.1
cat "$folder/trace"
