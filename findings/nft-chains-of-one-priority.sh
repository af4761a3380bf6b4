#!/bin/sh
# Linux 6.18, nft 1.0.6 (Debian 12). Needs root: it works in its own network namespace, created by unshare.
# Expected before measuring: of two base chains with the same hook and priority, the kernel evaluates the one that was created
#   first before the other. nft(8) says that their order is not defined.
# Observed: it evaluates the one that was created last before the other (`nf_hook_entries_grow` in
#   net/netfilter/core.c puts a new hook in front of those with the same priority). A second ruleset with the
#   same priority goes in front of the first one; loading the first one again changes the order.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
for name in older younger; do
	cat >"$dir/$name.nft" <<NFT
table inet $name {
	chain output {
		type filter hook output priority 0
		meta mark 0x0 counter
		meta mark set 0x1
	}
}
NFT
done
# shellcheck disable=SC2016 # The inner shell expands these.
unshare --net sh -eu -c '
	ip link set lo up
	nft -f "$1/older.nft"
	nft -f "$1/younger.nft"
	bash -c "echo >/dev/udp/127.0.0.1/9"
	for name in older younger; do
		echo "$name: packets that nobody had marked: $(nft list table inet "$name" | sed -n "s/.*packets \([0-9]*\) .*/\1/p")"
	done
' sh "$dir" | tee "$dir/seen.txt"
grep -q '^older: packets that nobody had marked: 0$' "$dir/seen.txt"
if grep -q '^younger: packets that nobody had marked: 0$' "$dir/seen.txt"; then exit 1; fi
echo 'Still the same.'
