#!/bin/sh
# ip-cidr 4.0.2 (npm), Node 20.
# Expected before measuring: 64:ff9b::192.0.2.33/96 and 64:ff9b::c000:221/96 are two spellings of the same range (RFC 4291, 2.2.3;
#   64:ff9b::/96 is the prefix of NAT64, RFC 6052), so they have the same start and end.
# Observed: the spelling with dotted decimals loses its prefix and its length. It starts and ends at the IPv4
#   address 192.0.2.33, the addresses of 64:ff9b::/96 are not in it, and no error is raised.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund ip-cidr@4.0.2
cat >try.mjs <<'JS'
import IPCIDR from 'ip-cidr';

for (const text of ['64:ff9b::c000:221/96', '64:ff9b::192.0.2.33/96']) {
	const range = new IPCIDR(text);
	console.log(text, range.start(), range.end(), range.contains('64:ff9b::c000:222'));
}
JS
node try.mjs | tee seen.txt
cat >expected.txt <<'TXT'
64:ff9b::c000:221/96 0064:ff9b:0000:0000:0000:0000:0000:0000 0064:ff9b:0000:0000:0000:0000:ffff:ffff true
64:ff9b::192.0.2.33/96 192.0.2.33 192.0.2.33 false
TXT
diff -u expected.txt seen.txt && echo 'Still the same.'
