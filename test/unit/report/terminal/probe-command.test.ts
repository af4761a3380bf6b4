/** The command that sends an example again: a shell splits it into the intended words. */

import {execFileSync} from 'node:child_process';
import test from 'ava';
import type {Representative} from '../../../../src/packet-classes/representatives.js';
import {printReplay} from '../../../../src/report/terminal/probe-command.js';

const probe: Representative = {
	index: 0, kind: 'inner', origin: 'pod', family: 'ipv4', protocol: 'tcp', packet: 'first', uid: 1000, gid: 2000, source: undefined, sourcePort: undefined, destination: {address: '192.0.2.1', port: 80}, mark: undefined,
};
const rules = {source: 'release:1.30', backend: 'iptables-nft'} as const;

const tables: ReadonlyArray<readonly [title: string, change: Partial<Representative>, expected: string]> = [
	['plain', {}, 'testbed probe --rules release:1.30 --backend iptables-nft --from app --to 192.0.2.1:80 --uid 1000 --gid 2000'],
	['UDP', {protocol: 'udp'}, 'testbed probe --rules release:1.30 --backend iptables-nft --from app --to 192.0.2.1:80 --uid 1000 --gid 2000 --proto udp'],
	['a group like the user', {gid: undefined}, 'testbed probe --rules release:1.30 --backend iptables-nft --from app --to 192.0.2.1:80 --uid 1000 --gid 1000'],
	['source and mark', {source: '127.0.0.6', mark: 0x5_39}, 'testbed probe --rules release:1.30 --backend iptables-nft --from app --to 192.0.2.1:80 --uid 1000 --gid 2000 --source 127.0.0.6 --mark 0x539'],
	['from outside, IPv6', {
		origin: 'remote', family: 'ipv6', uid: undefined, gid: undefined, source: '2001:db8::1', destination: {address: '2001:db8:1::10', port: 80},
	}, 'testbed probe --rules release:1.30 --backend iptables-nft --from remote --to \'[2001:db8:1::10]:80\' --source 2001:db8::1'],
	['a port of its own', {sourcePort: 45_000}, 'echo \'{"from":"app","to":"192.0.2.1:80","uid":1000,"gid":2000,"proto":"tcp","sourcePort":45000}\' | testbed probe --rules release:1.30 --backend iptables-nft --batch - --follow'],
];

for (const [title, change, expected] of tables) {
	test(title, t => {
		t.is(printReplay({...probe, ...change}, rules), expected);
	});
}

const sources = ['release:1.30 --redirect-dns -x 10.96.0.0/12', 'my rules.txt', 'it\'s.rules', '$(touch x); `id` "a" \\ * ?', '-', 'a\nb'];

/** What a shell makes of the command, with the program replaced by one that prints its words. */
function wordsOf(command: string): readonly string[] {
	return execFileSync('/bin/sh', ['-c', `testbed() { printf '%s\\0' "$@"; }\n${command}`], {encoding: 'utf8'}).split('\0').slice(0, -1);
}

test('it begins with the name by which the testbed was called', t => {
	t.is(printReplay(probe, rules, {program: 'bin/testbed'}), 'bin/testbed probe --rules release:1.30 --backend iptables-nft --from app --to 192.0.2.1:80 --uid 1000 --gid 2000');
	t.regex(printReplay({...probe, sourcePort: 45_000}, rules, {program: '../bin/testbed', more: ['--rules6', 'a b']}), / \| \.\.\/bin\/testbed probe --rules release:1\.30 --backend iptables-nft --rules6 'a b' --batch - --follow$/u);
});

for (const source of sources) {
	test(`a shell reads ${JSON.stringify(source)} as one word`, t => {
		const words = wordsOf(printReplay(probe, {...rules, source}));
		t.deepEqual(words.slice(0, 3), ['probe', '--rules', source]);
		t.is(words[words.indexOf('--to') + 1], '192.0.2.1:80');
		const batch = wordsOf(printReplay({...probe, sourcePort: 45_000}, {...rules, source}));
		t.deepEqual(batch, ['probe', '--rules', source, '--backend', 'iptables-nft', '--batch', '-', '--follow']);
	});
}
