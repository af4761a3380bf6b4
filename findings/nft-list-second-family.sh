#!/bin/sh
# nft 1.0.6 with iptables-nft 1.8.9 (Debian 12), or nft 1.1.3 with 1.8.11 (Debian 13). Needs root: it works in its own
#   network namespace, created by unshare.
# Guess before measuring: `nft list ruleset` prints rules of iptables-nft alike in both families, a REDIRECT target as
#   `redirect to :15001`: it prints each family so if it is listed alone.
# Seen: in a listing of both families, the table that comes second has no target: nft 1.0.6 prints nothing in its
#   place, so the rule reads as one that only counts; nft 1.1.3 prints `xt target "REDIRECT"`. The exit status is 0.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
printf '*nat\n-A OUTPUT -p tcp -j REDIRECT --to-ports 15001\nCOMMIT\n' >"$dir/rules"
# shellcheck disable=SC2016 # The inner shell expands this.
unshare --net sh -eu -c '
	iptables-nft-restore <"$1/rules"
	ip6tables-nft-restore <"$1/rules"
	for what in "ruleset" "ruleset ip" "ruleset ip6"; do
		echo "nft list $what"
		# shellcheck disable=SC2086
		nft list $what 2>/dev/null | grep counter
	done
' sh "$dir" | sed 's/^[[:space:]]*//' | tee "$dir/seen.txt"
case $(nft --version) in
*' v1.0.6 '*) last='' ;;
*' v1.1.3 '*) last=' xt target "REDIRECT"' ;;
*)
	echo "Not one of the versions that were seen: $(nft --version)" >&2
	exit 1
	;;
esac
cat >"$dir/expected.txt" <<END
nft list ruleset
ip protocol tcp counter packets 0 bytes 0 redirect to :15001
meta l4proto tcp counter packets 0 bytes 0$last
nft list ruleset ip
ip protocol tcp counter packets 0 bytes 0 redirect to :15001
nft list ruleset ip6
meta l4proto tcp counter packets 0 bytes 0 redirect to :15001
END
# nft 1.0.6 names the protocol of both families in one way.
sed 's/^ip protocol tcp/meta l4proto tcp/; s/ $//' "$dir/seen.txt" >"$dir/seen"
sed 's/^ip protocol tcp/meta l4proto tcp/' "$dir/expected.txt" >"$dir/expected"
diff "$dir/expected" "$dir/seen"
echo 'Still the same.'
