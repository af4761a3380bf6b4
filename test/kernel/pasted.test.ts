/** Rules as people paste them, on the kernel: readable rules are run and send traffic where they should, others are refused for the right reason before anything is sent; and what is read from a listing matches the kernel. */

import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {iptablesProgram} from '../../src/netfilter/backends.js';
import {differencesInMeaning} from '../../src/netfilter/compare-rules.js';
import {importRules} from '../../src/netfilter/import/import-rules.js';
import {printNft} from '../../src/netfilter/nftables/ruleset.js';
import {printSave} from '../../src/netfilter/iptables/save.js';
import type {AddressFamily} from '../../src/netfilter/types.js';
import {loadRuleInput} from '../../testbed/inputs/rules.js';
import {LockFile} from '../../testbed/system/lock-file.js';
import {Netns} from '../../testbed/sandbox/netns.js';
import {root} from '../helpers/root.js';
import {testbed, type JsonReport} from './_cli.js';

const fixture = (name: string): string => new URL(`test/fixtures/pasted/${name}`, root).pathname;
const folder = mkdtempSync(path.join(tmpdir(), 'testbed-pasted-'));
test.after.always(() => {
	rmSync(folder, {recursive: true});
});

function written(name: string, text: string): string {
	const file = path.join(folder, name);
	writeFileSync(file, text);
	return file;
}

const captured = {1: ['proxy:15006', 'app:8080'], 2: ['proxy:15001', 'remote:8080'], 4: ['proxy:15001', 'proxy:15006', 'app:8080']} as const;

/** What each says of inbound, outbound and the pod's own service. */
const importable: ReadonlyArray<readonly [file: string, stops: Readonly<Record<1 | 2 | 4, readonly string[]>>]> = [
	['07-native-nft-sail-1.27.nft', captured],
	// The listing lacks the end of ISTIO_OUTPUT and ISTIO_REDIRECT.
	['10-cni-list-L-v-n.txt', {1: captured[1], 2: ['remote:8080'], 4: ['vip:8080']}],
	['19-stern-cni.log', captured],
	['45-empty-nat.save', {1: ['app:8080'], 2: ['remote:8080'], 4: ['vip:8080']}],
	['59-v4v6-30868.log', {1: ['app:8080'], 2: ['remote:8080'], 4: ['vip:8080']}],
	['67-native-plus-docker.nft', captured],
	['listing-nft-1.0.6.nft', captured],
	['listing-nft-1.1.nft', captured],
];

for (const [file, stops] of importable) {
	test.serial(`${file} is accepted and runs`, async t => {
		const {stdout, stderr} = await testbed(['run', '--rules', fixture(file), '--types', '1,2,4', '--format', 'json']);
		t.notRegex(stderr, /Internal error/);
		const {types} = JSON.parse(stdout) as JsonReport;
		t.deepEqual(Object.fromEntries(types.map(({id, stops: observed}) => [id, observed])), stops);
	});
}

for (const [file, message] of [
	['05-docker-nft-xt.nft', /line 9: rule 1 of chain POSTROUTING in table ip nat was written by iptables-nft, and nft does not show the values of xt target "MASQUERADE"; use iptables-save/],
	['14-bpf-object-pinned.save', /line 10: -m bpf --object-pinned names a BPF program .* does not exist here/],
] as const) {
	test.serial(`${file} is refused, with its line`, async t => {
		const {exitCode, stderr} = await testbed(['run', '--rules', fixture(file)]);
		t.is(exitCode, 2);
		t.regex(stderr, message);
	});
}

for (const backend of ['iptables-nft', 'iptables-legacy'] as const) {
	test.serial(`${backend}: a missing object is reported with the line of the user's text`, async t => {
		const text = readFileSync(fixture('14-bpf-object-pinned.save'), 'utf8').replaceAll(/-m bpf --object-pinned "[^"]*"/gu, '-m set --match-set blocked src');
		const {exitCode, stderr} = await testbed(['run', '--rules', written('set.save', `\`\`\`\n${text}\`\`\`\n`), '--backend', backend]);
		t.is(exitCode, 2);
		t.regex(stderr, /line 11 of the input, `-A PREROUTING -m set --match-set blocked src -j RETURN`, needs the ipset blocked, which is missing here/);
		t.regex(stderr, /Remove the rule \(and 1 more like it\) from the text/);
	});
}

test.serial('both families in one file, whichever family was asked for; IPv4 rules where IPv6 was asked for', async t => {
	const both = fixture('59-v4v6-30868.log');
	for (const to of ['203.0.113.9:10334', '[2001:db8::9]:10334']) {
		// eslint-disable-next-line no-await-in-loop -- One run after the other.
		const {stdout} = await testbed(['probe', '--rules', both, '--from', 'app', '--to', to, '--format', 'json']);
		t.deepEqual((JSON.parse(stdout) as {readonly stops: readonly string[]}).stops[0], to.startsWith('[') ? undefined : 'proxy:15001', to);
	}

	const {exitCode, stderr} = await testbed(['probe', '--rules', fixture('19-stern-cni.log'), '--from', 'app', '--to', '[2001:db8::9]:80']);
	t.is(exitCode, 2);
	t.regex(stderr, /is an IPv4 dump, but IPv6 was requested\. A pod without IPv6 rules captures no IPv6 traffic at all\.\n.*--rules6 FILE/);
});

test.serial('two dumps of one family are compared without --family; dumps of different families are not', async t => {
	const text = readFileSync(fixture('19-stern-cni.log'), 'utf8');
	const other = written('other.log', text.replace(' -A ISTIO_INBOUND -p tcp -m tcp --dport 15020 -j RETURN', ''));
	const {exitCode, stdout} = await testbed(['diff', fixture('19-stern-cni.log'), other, '--format', 'json']);
	t.not(exitCode, 2);
	const {moved, families} = JSON.parse(stdout) as {readonly moved: readonly unknown[]; readonly families?: readonly string[]};
	t.true(moved.length > 0);
	t.true(families === undefined || families.join(' ') === 'ipv4');
	const six = written('six.save', '*nat\n-A OUTPUT -d ::1/128 -j RETURN\nCOMMIT\n');
	const refused = await testbed(['diff', fixture('19-stern-cni.log'), six]);
	t.is(refused.exitCode, 2);
	t.regex(refused.stderr, /is an IPv4 dump, but IPv6 was requested as well/);
});

test.serial('standard input is one of two dumps of one family', async t => {
	const {exitCode, stderr} = await testbed(['diff', '-', fixture('19-stern-cni.log')], {input: readFileSync(fixture('19-stern-cni.log'), 'utf8')});
	t.is(exitCode, 0, stderr);
});

test.serial('chains that lost their underscores are reported', async t => {
	const file = written('translated.log', readFileSync(fixture('19-stern-cni.log'), 'utf8').replaceAll('ISTIO_', 'ISTIO-'));
	t.true(loadRuleInput({source: file, families: ['ipv4']}).warnings.some(warning => /^Chain names differ from the mesh's own only in underscores: .*ISTIO-OUTPUT \(ISTIO_OUTPUT\)/u.test(warning)));
	const {stdout} = await testbed(['run', '--rules', file, '--types', '2']);
	t.regex(stdout, /Markdown\s+and\s+translators\s+remove\s+underscores/u);
	t.false(loadRuleInput({source: fixture('19-stern-cni.log'), families: ['ipv4']}).warnings.some(warning => warning.includes('underscore')));
});

/** Rules of the releases, whose listing has only wordings that can be read back. */
const generated = ['release:1.30', 'release:1.30 -m TPROXY', 'release:1.30 --redirect-dns', 'release:1.24 -x 10.0.0.0/8 -o 5432 -d 9000,9001 -k veth1', 'ambient:1.30'] as const;
const saysLittle = /^(?:The rules were converted from|line \d+: (?:no table is named|ignored because it is not a rule))/u;

for (const {variant, backend} of [{variant: 'nft', backend: 'iptables-nft'}, {variant: 'legacy', backend: 'iptables-legacy'}] as const) {
	for (const family of ['ipv4', 'ipv6'] satisfies readonly AddressFamily[]) {
		test.serial(`${backend}, ${family}: iptables -L -v -n is read as the same rules that the kernel has`, async t => {
			for (const source of generated) {
				const {ruleSet} = loadRuleInput({source, families: ['ipv4', 'ipv6'], backend});
				await using lockFile = await LockFile.create(); // eslint-disable-line no-await-in-loop -- One after the other.
				await using netns = Netns.create('pasted'); // eslint-disable-line no-await-in-loop -- The same.
				const environment = {XTABLES_LOCKFILE: lockFile.path};
				const asked = {tables: ruleSet.tables.filter(table => (table.family === 'ip6') === (family === 'ipv6'))};
				await netns.run(iptablesProgram(variant, family, 'restore'), [], {input: printSave(asked, family), environment}); // eslint-disable-line no-await-in-loop -- The same.
				const program = iptablesProgram(variant, family, 'save').replace(/-save$/u, '');
				const parts: string[] = [];
				for (const {name} of asked.tables) {
					const listing = await netns.run(program, ['-t', name, '-L', '-v', '-n', '--line-numbers'], {environment}); // eslint-disable-line no-await-in-loop -- The same.
					parts.push(`# ${program} -t ${name} -L -v -n --line-numbers`, listing);
				}

				const {ruleSet: read, warnings, kind} = importRules(parts.join('\n'), {family});
				t.is(kind, 'iptables-L');
				t.deepEqual(differencesInMeaning(asked, read), [], source);
				const {ruleSet: changed} = importRules(parts.join('\n').replace(/owner UID match (?<uid>\d+)|CONNMARK xset 0x111/u, found => found.startsWith('owner') ? 'owner UID match 1' : 'CONNMARK xset 0x112'), {family});
				t.is(differencesInMeaning(asked, changed).length, 1, source);
				t.deepEqual(warnings.filter(warning => !saysLittle.test(warning)), []);
			}
		});
	}
}

test.serial('an nft listing of tables that iptables-nft made is installed as the rules that the kernel had', async t => {
	for (const file of ['listing-nft-1.0.6.nft', 'listing-nft-1.1.3.nft', 'listing-nft-1.1.nft']) {
		await using netns = Netns.create('pasted'); // eslint-disable-line no-await-in-loop -- One after the other.
		const {ruleSet} = importRules(readFileSync(fixture(file), 'utf8'));
		await netns.run('nft', ['-f', '-'], {input: printNft(ruleSet)}); // eslint-disable-line no-await-in-loop -- The same.
		const held = await netns.run('nft', ['-s', 'list', 'ruleset']); // eslint-disable-line no-await-in-loop -- The same.
		t.is(printNft(importRules(held).ruleSet), printNft(ruleSet), file);
	}

	// And the reverse: the kernel's own translation of the rules, beside the rules. iptables 1.8.11 orders the parts of a rule in another way than 1.8.9.
	await using lockFile = await LockFile.create();
	await using netns = Netns.create('pasted');
	const {ruleSet} = loadRuleInput({source: 'release:1.30', families: ['ipv4'], backend: 'iptables-nft'});
	await netns.run('iptables-nft-restore', [], {input: printSave(ruleSet, 'ipv4'), environment: {XTABLES_LOCKFILE: lockFile.path}});
	const {ruleSet: translated} = importRules(await netns.run('nft', ['list', 'ruleset']));
	const [older, newer] = ['listing-nft-1.0.6.nft', 'listing-nft-1.1.3.nft'].map(file => printNft(importRules(readFileSync(fixture(file), 'utf8')).ruleSet));
	t.is(printNft(translated), printNft(translated).includes('ip protocol tcp') ? newer! : older!);
});
