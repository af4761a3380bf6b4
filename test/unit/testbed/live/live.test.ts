/** What is made of the kernel's lists and the tools' output: sockets, addresses, routing, name servers, modules, native tables. */

import {mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {dir} from 'tmp-promise';
import {describeTables, nativeTables, rulesByBackend} from '../../../../testbed/inputs/live-rules.js';
import {familiesOfLive} from '../../../../testbed/inputs/live-families.js';
import type {LiveAddress, LiveRules} from '../../../../testbed/live/live-pod.js';
import {modulesWarning} from '../../../../testbed/inputs/live.js';
import {hasNfTables, loadedModules} from '../../../../testbed/live/nf-tables.js';
import {waitingSocketsIn} from '../../../../testbed/live/sockets.js';
import {
	addressesIn, loopbackAddressesIn, nameserversIn, readIpList, routingIn,
} from '../../../../testbed/live/netns-facts.js';

const head = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';

test('sockets: TCP that listens, UDP without a peer, with user and inode', t => {
	const tcp = `${head}   0: 00000000:3A99 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1337        0 4711 1 0000000000000000 100 0 0 10 0
   1: 0100007F:C350 0100007F:3A99 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0000000000000000 20 4 30 10 -1\n`;
	t.deepEqual(waitingSocketsIn(tcp, 'tcp'), [{
		protocol: 'tcp', address: '0.0.0.0', port: 15_001, uid: 1337, inode: 4711,
	}]);
	const udp6 = `${head}  12: 00000000000000000000000001000000:3AAD 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 99 2 0000000000000000 0\n`;
	t.deepEqual(waitingSocketsIn(udp6, 'udp'), [{
		protocol: 'udp', address: '::1', port: 15_021, uid: 0, inode: 99,
	}]);
	t.deepEqual(waitingSocketsIn(udp6, 'tcp'), []);
	t.deepEqual(waitingSocketsIn('', 'tcp'), []);
});

test('sockets: a line of another form is refused, not skipped', t => {
	t.throws(() => waitingSocketsIn(`${head}   0: nonsense\n`, 'tcp'), {code: 'UNREADABLE', message: /unknown form: 0: nonsense/u});
});

const ipAddress = JSON.stringify([
	{ifname: 'lo', addr_info: [{family: 'inet', local: '127.0.0.1', prefixlen: 8, scope: 'host'}, {family: 'inet6', local: '::6', prefixlen: 128, scope: 'global'}, {family: 'inet6', local: '::1', prefixlen: 128, scope: 'host'}]},
	{ifname: 'net1', addr_info: [{family: 'inet', local: '10.1.2.3', prefixlen: 24, scope: 'global'}, {family: 'inet6', local: 'fe80::1', prefixlen: 64, scope: 'link'}]},
	{},
]);

test('addresses: interfaces, families, and what lo has besides its own', t => {
	const {devices, addresses} = addressesIn(ipAddress);
	t.deepEqual(devices, ['lo', 'net1']);
	t.is(addresses.length, 5);
	t.deepEqual(loopbackAddressesIn(addresses), [{family: 'ipv6', address: '::6/128'}]);
	// Neither ::6 on lo nor a link-local address is one that others reach.
	t.deepEqual(familiesOfLive({addresses}), ['ipv4']);
	const own = (family: LiveAddress['family'], address: string): LiveAddress => ({
		device: 'eth0', family, address, prefixLength: 64, scope: 'global',
	});
	t.deepEqual(familiesOfLive({addresses: [own('ipv6', 'fd00::1')]}), ['ipv6']);
	t.deepEqual(familiesOfLive({addresses: [own('ipv6', 'fd00::1'), own('ipv4', '10.0.0.1')]}), ['ipv4', 'ipv6']);
	t.deepEqual(familiesOfLive({addresses: []}), ['ipv4']);
});

test('routing: rules by mark, and local routes of further tables', t => {
	const rules = JSON.stringify([{priority: 0, src: 'all', table: '255'}, {priority: 32_765, src: 'all', fwmark: '0x539', table: '133'}, {priority: 100, src: 'all', fwmark: '0x111', fwmask: '0xfff', table: '100'}]);
	const routes = JSON.stringify([{dst: 'default', gateway: '10.1.2.1', dev: 'eth0'}, {type: '2', dst: 'default', dev: 'lo', table: '133'}, {type: 'local', dst: '10.9.0.0/16', dev: 'lo', table: '134'}, {type: '3', dst: '10.9.255.255', dev: 'lo', table: '134'}, {type: 'local', dst: '10.1.2.3', dev: 'eth0', table: '255'}]);
	t.deepEqual(routingIn('ipv4', {rules, routes}), {
		markRules: [{family: 'ipv4', mark: 1337, table: 133}, {
			family: 'ipv4', mark: 0x1_11, mask: 0xF_FF, table: 100, priority: 100,
		}],
		localRoutes: [{family: 'ipv4', destination: '0.0.0.0/0', table: 133}, {family: 'ipv4', destination: '10.9.0.0/16', table: 134}],
	});
	t.deepEqual(routingIn('ipv6', {rules: '', routes: '\n'}), {markRules: [], localRoutes: []});
});

for (const text of ['{}', 'Usage: ip …', '[1]', '[null]']) {
	test(`what ip prints must be a list: ${text}`, t => {
		t.throws(() => readIpList(text), {code: 'UNREADABLE', message: /not a list/u});
	});
}

test('name servers: addresses alone, each once', t => {
	t.deepEqual(nameserversIn('# nameserver 1.1.1.1\nsearch default.svc\nnameserver 10.96.0.10\n nameserver\t10.96.0.10 # again\nnameserver fe80::1%eth0\nnameserver root:x:0:0\noptions ndots:5\n'), ['10.96.0.10', 'fe80::1']);
});

for (const [title, files, expected] of [
	['a kernel without loadable modules', {}, true],
	['loaded', {'proc/modules': 'nf_tables 380928 1 nft_compat, Live 0x0\n'}, true],
	['not loaded', {'proc/modules': 'nf_tables_set 1 0 - Live 0x0\n', 'modules/modules.builtin': 'kernel/net/netfilter/x_tables.ko\n'}, false],
	['built in', {'proc/modules': 'veth 1 0 - Live 0x0\n', 'modules/modules.builtin': 'kernel/net/netfilter/nf_tables.ko\n'}, true],
	['no list of what is built in, but its functions', {'proc/modules': '', 'proc/kallsyms': '0000000000000000 t nf_tables_newtable\n'}, true],
	['no list of what is built in, and no function', {'proc/modules': '', 'proc/kallsyms': '0000000000000000 t nf_register\n'}, false],
] as ReadonlyArray<readonly [string, Readonly<Record<string, string>>, boolean]>) {
	test(`nf_tables: ${title}`, async t => {
		const folder = await dir({unsafeCleanup: true});
		t.teardown(folder.cleanup);
		for (const [name, text] of Object.entries(files)) {
			mkdirSync(path.join(folder.path, path.dirname(name)), {recursive: true});
			writeFileSync(path.join(folder.path, name), text);
		}

		t.is(hasNfTables({proc: path.join(folder.path, 'proc'), modules: path.join(folder.path, 'modules')}), expected);
	});
}

test('modules that are loaded, and a warning about those that a reading loaded', async t => {
	const folder = await dir({unsafeCleanup: true});
	t.teardown(folder.cleanup);
	t.deepEqual([...loadedModules({proc: folder.path})], []);
	writeFileSync(path.join(folder.path, 'modules'), 'nf_tables 380928 1 nft_compat, Live 0x0\nxt_tcpudp 20480 2 - Live 0x0\n');
	t.deepEqual([...loadedModules({proc: folder.path})], ['nf_tables', 'xt_tcpudp']);
	t.deepEqual(modulesWarning([]), []);
	t.deepEqual(modulesWarning(['xt_tcpudp']), ['While the pod was read, the kernel loaded a module: xt_tcpudp.']);
});

const redirect = '-A OUTPUT -p tcp -j REDIRECT --to-ports 15001\n';
const dump = (rules: string): string => `# Generated by iptables-nft-save v1.8.9\n# Warning: iptables-legacy tables present, use iptables-legacy-save to see them\n*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n${rules}COMMIT\n# Completed\n`;
const listing = `table ip nat {
	chain OUTPUT {
		type nat hook output priority dstnat; policy accept;
		meta l4proto tcp counter xt target "REDIRECT"
	}
}
table inet own {
	chain drops {
		type filter hook input priority filter; policy accept;
		tcp dport 22 drop
	}
}`;

function there(nft: string, legacy: string, rules = listing): LiveRules {
	return {listing: rules, saved: [{backend: 'iptables-nft', texts: {ipv4: nft, ipv6: ''}}, {backend: 'iptables-legacy', texts: {ipv4: legacy, ipv6: ''}}]};
}

test('the back ends that have rules: of iptables what it saves, of nft what iptables did not write', t => {
	const filled = (rules: LiveRules): readonly string[] => rulesByBackend(rules).filter(({isFilled}) => isFilled).map(each => `${each.backend}: ${describeTables(each)}`);
	t.deepEqual(filled(there(dump(redirect), dump(''))), ['iptables-nft: 1 rule (ip nat)', 'nftables: 1 rule (inet own)']);
	t.deepEqual(filled(there(dump(redirect), dump(redirect), '')), ['iptables-nft: 1 rule (ip nat)', 'iptables-legacy: 1 rule (ip nat)']);
	t.deepEqual(filled(there('', '', '')), []);
	// A policy decides without any rule.
	t.deepEqual(filled(there('', dump('').replace('*nat', '*filter').replace(':PREROUTING ACCEPT [0:0]\n', '').replace(':POSTROUTING ACCEPT [0:0]\n', ':FORWARD ACCEPT [0:0]\n').replace(':INPUT ACCEPT', ':INPUT DROP'), '')), ['iptables-legacy: 0 rules (ip filter)']);
	// What the tools remark about each other is no warning: both were read.
	t.deepEqual(rulesByBackend(there(dump(redirect), '')).flatMap(({parts}) => parts.flatMap(({warnings, beside}) => [...warnings, ...beside])), []);
});

test('native tables: those that iptables did not save, without remarks', t => {
	const text = nativeTables(`# Warning: table ip nat is managed by iptables-nft, do not touch!\n${listing}`, new Set(['ip nat']));
	t.regex(text, /^table inet own \{/u);
	t.false(text.includes('REDIRECT'));
	t.is(nativeTables(listing, new Set(['ip nat', 'inet own'])), '');
});
