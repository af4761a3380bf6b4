import {readdirSync, readFileSync} from 'node:fs';
import test from 'ava';
import {importRules, recognize, type Kind} from '../../../../src/netfilter/import/import-rules.js';
import {normalize} from '../../../../src/netfilter/iptables/normalize.js';
import {ParseError, parseSave, printSave} from '../../../../src/netfilter/iptables/save.js';
import type {AddressFamily, RuleSet, Table} from '../../../../src/netfilter/types.js';
import {root} from '../../../helpers/root.js';

const folder = new URL('test/fixtures/dumps/', root);
const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8');

/** Tables as `ip nat: 5`, with the number of their rules. */
function tally({tables}: RuleSet): readonly string[] {
	return tables.map(({family, name, chains}) => `${family} ${name}: ${chains.reduce((sum, {rules}) => sum + rules.length, 0)}`);
}

/** Chains by name: a log makes them in another order than a dump prints them. */
function byName(table: Table | undefined) {
	return Object.fromEntries(table?.chains.map(chain => [chain.name, chain]) ?? []);
}

type Case = {readonly file: string; readonly kind: Kind; readonly tables: readonly string[]; readonly warnings?: readonly RegExp[]; readonly opaque?: number};

const cases: readonly Case[] = [
	{
		file: 'node.save', kind: 'iptables-save', tables: ['ip raw: 11', 'ip mangle: 5', 'ip nat: 50', 'ip filter: 28'], opaque: 14,
	},
	{file: 'pod-both-families.save', kind: 'iptables-save', tables: ['ip nat: 10', 'ip6 nat: 5']},
	{
		file: 'listing.txt', kind: 'iptables-S', tables: ['ip nat: 9', 'ip mangle: 1', 'ip6 nat: 2'], warnings: [/^line 1: ignored because it is not a rule: Defaulted container/],
	},
	{file: 'init-1.1.log', kind: 'init-log', tables: ['ip nat: 10', 'ip6 filter: 3']},
	{file: 'init-1.10.log', kind: 'init-log', tables: ['ip nat: 18', 'ip6 nat: 18']},
	{file: 'init-1.24.log', kind: 'init-log', tables: ['ip nat: 18', 'ip6 nat: 18']},
	{file: 'init-json.log', kind: 'init-log', tables: ['ip nat: 18']},
	{file: 'init-cri.log', kind: 'init-log', tables: ['ip nat: 18']},
	{file: 'init-stern.log', kind: 'init-log', tables: ['ip nat: 18']},
	{file: 'init-journal.log', kind: 'init-log', tables: ['ip nat: 18']},
	{
		file: 'init-failed.log', kind: 'init-log', tables: ['ip nat: 18'], warnings: [/^line 10: the log says that a run failed \(iptables: Chain already exists\.\); the rules are those that it printed from the kernel$/],
	},
];

test('every fixture has its case', t => {
	t.deepEqual(readdirSync(folder).filter(name => name !== 'README.md').toSorted(), cases.map(({file}) => file).toSorted());
});

for (const {file, kind, tables, warnings = [], opaque = 0} of cases) {
	test(`${file} is ${kind}`, t => {
		const imported = importRules(read(file));
		t.is(imported.kind, kind);
		t.deepEqual(tally(imported.ruleSet), tables);
		t.is(imported.opaque.length, opaque);
		t.is(imported.warnings.length, warnings.length);
		for (const [index, pattern] of warnings.entries()) {
			t.regex(imported.warnings[index] ?? '', pattern);
		}

		t.deepEqual(imported.families, tables.some(table => table.startsWith('ip6 ')) ? ['ipv4', 'ipv6'] : ['ipv4']);
	});

	test(`${file}: each rule knows the line of the text that it came from`, t => {
		const text = read(file);
		const {lines, ruleSet} = importRules(text);
		const rules = ruleSet.tables.flatMap(({chains}) => chains.flatMap(chain => chain.rules));
		t.is(lines.size, rules.length);
		for (const rule of rules) {
			const line = text.split('\n')[(lines.get(rule) ?? 0) - 1] ?? '';
			const words = rule.text.split(/\s+/).filter(word => !/^(?:!|".*|.*")$/.test(word));
			t.true(words.every(word => line.includes(word)), `${rule.text} is not in ${line}`);
		}
	});
}

test('a dump is printed as it was read', t => {
	const text = read('node.save').split('\n').filter(line => !line.startsWith('#')).join('\n').replaceAll(/ \[\d+:\d+]/g, '');
	t.is(printSave(importRules(read('node.save')).ruleSet, 'ipv4'), text);
});

test('a log gives the same rules as the dump of these rules', t => {
	const [wanted] = normalize(importRules(read('init-1.10.log')).ruleSet).tables;
	const [table] = normalize(importRules(read('init-failed.log')).ruleSet).tables;
	t.deepEqual(byName(wanted), byName(table));
	const [json] = normalize(importRules(read('init-json.log')).ruleSet).tables;
	for (const file of ['init-1.24.log', 'init-cri.log', 'init-stern.log', 'init-journal.log']) {
		t.deepEqual(normalize(importRules(read(file)).ruleSet).tables[0], json, file);
	}
});

test('in the old shell script, the exclamation mark is quoted', t => {
	const {ruleSet} = importRules(read('init-1.1.log'));
	t.is(ruleSet.tables[0]?.chains.find(({name}) => name === 'ISTIO_OUTPUT')?.rules[0]?.text, '-o lo ! -d 127.0.0.1/32 -j ISTIO_REDIRECT');
});

const nat = ['*nat', '-A OUTPUT -d 127.0.0.1/32 -j RETURN', 'COMMIT'];
const nat6 = ['*nat', '-A OUTPUT -d ::1/128 -j RETURN', 'COMMIT'];
const bare = ['*nat', '-A OUTPUT -p tcp -j RETURN', 'COMMIT'];

type Families = {readonly title: string; readonly lines: readonly string[]; readonly tables: readonly string[]; readonly family?: AddressFamily; readonly warning?: RegExp};

const families: readonly Families[] = [
	{title: 'addresses tell', lines: [...nat, ...nat6], tables: ['ip nat: 1', 'ip6 nat: 1']},
	{title: 'the second dump first', lines: [...nat6, ...nat], tables: ['ip6 nat: 1', 'ip nat: 1']},
	{
		title: 'one dump that does not tell is IPv4, with a word about it', lines: bare, tables: ['ip nat: 1'], warning: /^Nothing in the rules shows their IP family/,
	},
	{title: 'the family from outside', lines: bare, tables: ['ip6 nat: 1'], family: 'ipv6'},
	{
		title: 'the other one of two', lines: [...nat, ...bare], tables: ['ip nat: 1', 'ip6 nat: 1'], warning: /^line 4: nothing in the rules shows their IP family, so they are read as IPv6/,
	},
	{title: 'tables of one dump share what one of them tells', lines: [...nat, ...bare.map(line => line.replace('nat', 'raw')), ...nat6], tables: ['ip nat: 1', 'ip raw: 1', 'ip6 nat: 1']},
	{title: 'a table of its own in each dump', lines: [...nat, ...nat6.map(line => line.replace('nat', 'raw'))], tables: ['ip nat: 1', 'ip6 raw: 1']},
	{title: 'ICMP', lines: ['*filter', '-A INPUT -p icmp -j DROP', 'COMMIT', '*filter', '-A INPUT -p ipv6-icmp -j DROP', 'COMMIT'], tables: ['ip filter: 1', 'ip6 filter: 1']},
	{title: 'what only IPv6 has', lines: ['*filter', '-A INPUT -m hl --hl-eq 255 -j DROP', 'COMMIT'], tables: ['ip6 filter: 1']},
	{title: 'how it is rejected', lines: ['*filter', '-A INPUT -j REJECT --reject-with icmp6-port-unreachable', 'COMMIT'], tables: ['ip6 filter: 1']},
	{title: 'where it is sent', lines: ['*nat', '-A OUTPUT -p tcp -j DNAT --to-destination [2001:db8::1]:80', 'COMMIT'], tables: ['ip6 nat: 1']},
	{title: 'not what a comment says', lines: ['*nat', '-A OUTPUT -m comment --comment "x -s ::1/128" -d 1.2.3.4 -j RETURN', 'COMMIT'], tables: ['ip nat: 1']},
	{title: 'the program in the comment', lines: ['# Generated by ip6tables-nft-save v1.8.9 (nf_tables)', ...bare], tables: ['ip6 nat: 1']},
	{title: 'the program at the prompt', lines: ['$ sudo ip6tables-save', ...bare], tables: ['ip6 nat: 1'], warning: /^line 1: ignored/},
];

for (const {title, lines, tables, family, warning} of families) {
	test(`family: ${title}`, t => {
		const imported = importRules(lines.join('\n'), family === undefined ? {} : {family});
		t.deepEqual(tally(imported.ruleSet), tables);
		t.is(imported.warnings.length, warning === undefined ? 0 : 1);
		t.regex(imported.warnings[0] ?? '', warning ?? /^$/);
	});
}

const listings: ReadonlyArray<readonly [string, readonly string[], readonly string[], RegExp?]> = [
	['the policies', ['-P PREROUTING ACCEPT', '-P INPUT ACCEPT', '-P OUTPUT ACCEPT', '-P POSTROUTING ACCEPT', '-A OUTPUT -d 1.2.3.4/32 -j RETURN'], ['ip nat: 1']],
	['nat of an old kernel', ['-P PREROUTING ACCEPT', '-P POSTROUTING ACCEPT', '-P OUTPUT ACCEPT', '-A OUTPUT -d 1.2.3.4/32 -j RETURN'], ['ip nat: 1']],
	['policies of two listings', ['-P PREROUTING ACCEPT', '-P OUTPUT ACCEPT', '-A OUTPUT -d 1.2.3.4/32 -j RETURN', '-P INPUT ACCEPT', '-P FORWARD DROP', '-P OUTPUT ACCEPT'], ['ip raw: 1', 'ip filter: 0']],
	['a line between', ['# raw', '-A OUTPUT -d 1.2.3.4/32 -j RETURN', '*mangle', '-A OUTPUT -j RETURN', '--- nat ---', '-A OUTPUT -j RETURN'], ['ip raw: 1', 'ip mangle: 1', 'ip nat: 1']],
	['a prompt', ['[root@node ~]# iptables -S', '-A INPUT -s 1.2.3.4/32 -j DROP', '# nat, as it should be', '# iptables --table raw --list-rules', '-A OUTPUT -j RETURN'], ['ip filter: 1', 'ip raw: 1']],
	['the targets of nat', ['-N X', '-A X -p tcp -d 1.2.3.4 -j REDIRECT --to-ports 15001'], ['ip nat: 1'], /^line 1: no table is named; assumed nat because of the targets$/],
	['the targets of mangle', ['-N X', '-A X -d 1.2.3.4 -j MARK --set-xmark 0x1/0x1'], ['ip mangle: 1'], /assumed mangle because of the targets$/],
	['the chains of nat', ['-A PREROUTING -d 1.2.3.4 -j RETURN', '-A POSTROUTING -j RETURN'], ['ip nat: 2'], /^line 1: no table is named; assumed nat because of the chains$/],
];

for (const [title, lines, tables, warning] of listings) {
	test(`the table of a listing is known by ${title}`, t => {
		t.is(recognize(lines.join('\n')), 'iptables-S');
		const {ruleSet, warnings} = importRules(lines.join('\n'));
		t.deepEqual(tally(ruleSet), tables);
		t.is(warnings.length, warning === undefined ? 0 : 1);
		t.regex(warnings[0] ?? '', warning ?? /^$/);
	});
}

test('commands of a script are rules too', t => {
	const text = ['#!/bin/sh', 'iptables -w 30 -t nat -N X', '/sbin/iptables --table=nat --wait=5 -A X -p tcp -m comment --comment \'a "b"\' -j RETURN || exit 1', 'iptables -t nat -D X -j DROP 2>/dev/null', 'iptables -A INPUT -s 10.0.0.0/8 -j DROP', 'ip6tables -P FORWARD DROP'].join('\n');
	const {kind, ruleSet} = importRules(text);
	t.is(kind, 'init-log');
	t.deepEqual(tally(ruleSet), ['ip nat: 1', 'ip filter: 1', 'ip6 filter: 0']);
	t.is(ruleSet.tables[0]?.chains.at(-1)?.rules[0]?.text, String.raw`-p tcp -m comment --comment "a \"b\"" -j RETURN`);
});

test('a log without a run that writes rules gives the rules that it printed of the kernel', t => {
	const {kind, ruleSet, warnings} = importRules(['2024-01-01T00:00:00Z\tinfo\tRunning command: iptables-save', '# Generated by iptables-save v1.8.4', ...bare].join('\n'));
	t.is(kind, 'init-log');
	t.deepEqual(tally(ruleSet), ['ip nat: 1']);
	t.deepEqual(warnings, []);
});

test('a log of a failed run that printed no rules gives the rules that it wanted to write, with a warning', t => {
	const {ruleSet, warnings} = importRules(['iptables -t nat -N X', 'iptables-restore: line 2 failed', ...nat].join('\n'));
	t.deepEqual(tally(ruleSet), ['ip nat: 1']);
	t.regex(warnings[0] ?? '', /^line 2: the log says that a run failed .* does not show what the kernel had then/);
});

test('commands that clean up first may fail in a script', t => {
	const {ruleSet, warnings} = importRules(['+ iptables -t nat -F X', 'iptables: No chain/target/match by that name.', '+ iptables -t nat -N X', '+ iptables -t nat -A X -d 1.2.3.4 -j RETURN'].join('\n'));
	t.deepEqual(tally(ruleSet), ['ip nat: 1']);
	t.deepEqual(warnings, []);
});

test('the wrapper of a script is not read as a command', t => {
	const lines = ['iptables', 'iptables_retry /usr/sbin/iptables', '/usr/sbin/iptables'].map(tool => `+ ${tool} -t nat -N X`);
	t.deepEqual(tally(importRules(lines.join('\n')).ruleSet), ['ip nat: 0']);
});

test('a whole message in quotes, as kubelet logs it', t => {
	t.deepEqual(tally(importRules(String.raw`Jul 29 11:21:24 host kubelet[1]: out="Environment:\n\n+ iptables -t nat -N X\n+ iptables -t nat -A X -s 1.2.3.4/32 -j RETURN\n"`).ruleSet), ['ip nat: 1']);
});

test('what the tools say in comments is reported', t => {
	const {warnings} = importRules(['# Warning: iptables-legacy tables present, use iptables-legacy-save to see them', '# Table `nat\' is incompatible, use \'nft\' tool.', ...nat].join('\n'));
	t.deepEqual(warnings, [
		'line 1: the machine also has iptables-legacy rules, which this dump does not show; add the output of iptables-legacy-save',
		'line 2: the tool left out table nat because it contains rules that the tool does not know; use nft list ruleset',
	]);
});

test('rules that are spelled differently or split into several are reported', t => {
	const {warnings} = importRules('*nat\n-A OUTPUT -p tcp -d ! 10.0.0.1 -j RETURN\n-A OUTPUT -s 10.0.0.1,10.0.0.2 -j RETURN\nCOMMIT');
	t.deepEqual(warnings, [
		'line 2: "!" after its option is an old spelling that current iptables rejects; it is read as -p tcp ! -d 10.0.0.1 -j RETURN',
		'line 3: the list of addresses stands for 2 rules',
	]);
});

test('the byte order mark and carriage returns of Windows are no part of it', t => {
	t.deepEqual(tally(importRules(`\uFEFF${nat.join('\r\n')}\r\n`).ruleSet), ['ip nat: 1']);
});

test('opaque rules are reported with their parts', t => {
	const {opaque} = importRules('*nat\n-N X\n-A X -j RETURN\n-A X -s 1.2.3.4 -m foo --bar 1 -j NEW --with 2\nCOMMIT');
	t.deepEqual(opaque, [{
		family: 'ip', table: 'nat', chain: 'X', number: 2, text: '-s 1.2.3.4 -m foo --bar 1 -j NEW --with 2', parts: ['-m foo --bar 1', '-j NEW --with 2'],
	}]);
});

test('nft is recognised', t => {
	t.is(recognize('table inet mesh {\n}'), 'nft');
	t.is(recognize('# a comment\ntable ip nat { # handle 5\n}'), 'nft');
	t.is(recognize('add table inet mesh\nflush table inet mesh'), 'nft');
	t.is(recognize('{"nftables": []}'), 'nft-json');
});

test('nft rules are passed on', t => {
	const {kind, ruleSet, families: found, lines} = importRules('table inet mesh {\n\tchain output {\n\t\ttype nat hook output priority -100; policy accept;\n\t\tmeta skuid 1337 counter return\n\t}\n}');
	t.is(kind, 'nft');
	t.deepEqual(tally(ruleSet), ['inet mesh: 1']);
	t.deepEqual(found, ['ipv4', 'ipv6']);
	t.is(lines.size, 0);
	t.deepEqual(importRules('{"nftables": [{"metainfo": {"json_schema_version": 1}}, {"table": {"family": "ip", "name": "mesh", "handle": 1}}]}').families, ['ipv4']);
});

test('the restore input that a log shows after its look at the kernel is not a dump', t => {
	const {kind, ruleSet} = importRules(['iptables-save', 'ip6tables-save', ...nat.map(line => line.replace('*', '* ')), ...nat6.map(line => line.replace('*', '* ')), 'iptables-save'].join('\n'));
	t.is(kind, 'init-log');
	t.deepEqual(tally(ruleSet), ['ip nat: 1', 'ip6 nat: 1']);
});

type Refusal = {readonly text: string; readonly line: number; readonly reason: RegExp; readonly family?: AddressFamily};

const refusals: readonly Refusal[] = [
	{text: '', line: 1, reason: /^the text is empty: expected the output of iptables-save/},
	{text: ' \n\n', line: 1, reason: /^the text is empty/},
	{text: '*nat\n\u0000\u0001\nCOMMIT', line: 2, reason: /^not a text file: it has bytes/},
	{text: '\uFFFD\uFFFD*\0n\0a\0t\0', line: 1, reason: /^this is UTF-16/},
	{text: '<!DOCTYPE html>\n<html>', line: 1, reason: /^this is HTML or XML/},
	{text: 'apiVersion: v1\nkind: Pod', line: 1, reason: /^this is a Kubernetes manifest.*pod:FILE$/},
	{text: '{"apiVersion": "v1", "kind": "Pod"}', line: 1, reason: /^this is a Kubernetes manifest/},
	{text: '{"a": 1}', line: 1, reason: /^JSON without "nftables" in it/},
	{text: 'Chain INPUT (policy ACCEPT)\ntarget     prot opt source               destination', line: 2, reason: /^this is iptables -L without -v, which leaves out the interfaces/},
	{text: 'x\nnum  pkts bytes target     prot opt in     out', line: 1, reason: /^the beginning is missing: there is no line "Chain NAME \(…\)" before this$/},
	{text: 'hello', line: 1, reason: /^not rules of a known kind/},
	{text: 'info\tadd rule inet mesh output accept', line: 1, reason: /^a log with nft commands; use the output of nft list ruleset in the pod$/},
	{text: 'table inet mesh {\nhello', line: 2, reason: /^"hello" is not understood in a table$/},
	{text: [...nat, 'hello'].join('\n'), line: 4, reason: /^not a line of iptables-save$/},
	{text: '-A OUTPUT -j RETURN', line: 1, reason: /^nothing shows the table of these rules/},
	{text: '-P OUTPUT ACCEPT\nhello', line: 2, reason: /^not a line of iptables -S$/},
	{text: [...bare, ...bare].join('\n'), line: 1, reason: /^nothing shows whether this dump is IPv4 or IPv6; pass the files separately: --rules FILE --rules6 FILE$/},
	{text: [...nat, ...nat].join('\n'), line: 4, reason: /^table nat occurs twice$/},
	{
		text: [...nat, ...nat6].join('\n'), line: 4, reason: /^table nat occurs twice$/, family: 'ipv4',
	},
	{
		text: nat.join('\n'), line: 2, reason: /^the IPv4 address "127.0.0.1\/32" in a dump of IPv6 rules$/, family: 'ipv6',
	},
	{text: '*nat\n-A OUTPUT -d 1.2.3.4 -j RETURN\n-A OUTPUT -d ::1 -j RETURN\nCOMMIT', line: 3, reason: /^an IPv6 rule in a table with rules of the other family \(line 2\)/},
	{text: 'iptables-restore --noflush /tmp/x', line: 1, reason: /^a log without rules/},
	{text: 'iptables-restore --noflush /tmp/x\n* nat\n-N X', line: 3, reason: /has no COMMIT: the end of the log is missing$/},
	{text: 'iptables-restore --noflush /tmp/x\n* nat\nhello\nCOMMIT', line: 3, reason: /^not a line of a restore text, and \* nat \(line 2\) has no COMMIT yet$/},
	{text: 'iptables -t nat -A OUTPUT -m comment --comment \'open', line: 1, reason: /^a quote that is never closed$/},
	{text: 'iptables -t nat -N X\niptables -t nat -N X', line: 2, reason: /^chain X exists already$/},
	{text: 'iptables -t net -N X', line: 1, reason: /^unknown table "net"/},
	{text: 'iptables -t nat -X OUTPUT', line: 1, reason: /^OUTPUT is a built-in chain$/},
];

for (const [index, {text, line, reason, family}] of refusals.entries()) {
	test(`refusal ${index + 1}: ${JSON.stringify(text).slice(0, 100)}`, t => {
		const error = t.throws(() => importRules(text, family === undefined ? {} : {family}), {instanceOf: ParseError});
		t.is(error.line, line);
		t.regex(error.reason, reason);
	});
}

test('a hundred thousand rules are read in linear time', t => {
	const dump = (count: number): string => ['*nat', ':X - [0:0]', ...Array.from({length: count}, (_, index) => `${index % 2 === 0 ? '-A' : '-I'} X -s 10.0.0.${index % 250}/32 -p tcp -m tcp --dport ${index % 60_000} -m comment --comment "rule ${index}" -j RETURN`), 'COMMIT', ''].join('\n');
	const {ruleSet} = importRules(dump(100_000));
	t.deepEqual(tally(ruleSet), ['ip nat: 100000']);
	t.is(parseSave(printSave(ruleSet, 'ipv4'), 'ipv4').tables[0]?.chains.at(-1)?.rules.length, 100_000);
});

test('a table that iptables-nft wrote is told apart from a native one', t => {
	const text = (family: string, name: string, chain: string) => `table ${family} ${name} {\n\tchain ${chain} {\n\t\ttype nat hook output priority -100; policy accept;\n\t\tmeta skuid 1337 counter return\n\t}\n}\n`;
	t.regex(importRules(text('ip', 'nat', 'OUTPUT')).warnings[0] ?? '', /^table ip nat looks like one that iptables-nft wrote: .*iptables-save shows the original rules$/u);
	t.deepEqual(importRules(text('ip', 'nat', 'output')).warnings, []);
	t.deepEqual(importRules(text('inet', 'nat', 'OUTPUT')).warnings, []);
});
