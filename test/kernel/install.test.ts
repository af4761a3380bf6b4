/** The guarantees of installing: all or nothing, earlier rules are gone, and the kernel has what was requested. */

import process from 'node:process';
import test from 'ava';
import {parseNft} from '../../src/netfilter/nftables/ruleset.js';
import {restrictToFamilies} from '../../src/netfilter/lookup.js';
import {parseSave} from '../../src/netfilter/iptables/save.js';
import type {Backend, RuleSet} from '../../src/netfilter/types.js';
import {parseLoadedRules, type KernelTexts} from '../../src/trace/loaded-rules.js';
import {TestbedError} from '../../testbed/errors.js';
import {LockFile} from '../../testbed/system/lock-file.js';
import {loadRuleInput} from '../../testbed/inputs/rules.js';
import {Netns} from '../../testbed/sandbox/netns.js';
import {installAndReadBack, installRules} from '../../testbed/sandbox/install.js';
import {driverOf} from '../../testbed/sandbox/backends/drivers.js';
import {printRuleSet} from '../../src/report/rules/text.js';
import {ActorSandbox} from '../../testbed/run/actor-sandbox.js';
import {runOn} from '../../testbed/run/run.js';
import {loadFlows} from '../../testbed/sandbox/load-flows.js';
import {bothBackends, optionsOf} from './_run.js';

const families = ['ipv4', 'ipv6'] as const;
const good = parseSave('*nat\n-A OUTPUT -p tcp -j REDIRECT --to-ports 15001\nCOMMIT\n*mangle\n-A OUTPUT -j ACCEPT\nCOMMIT\n', 'ipv4');
const unknownMatch = parseSave('*raw\n-A OUTPUT -j ACCEPT\nCOMMIT\n*nat\n-A OUTPUT -m nosuchmatch -j RETURN\nCOMMIT\n', 'ipv6');

for (const backend of bothBackends) {
	test(`if one family is rejected, the other is not installed either, ${backend}`, async t => {
		await using netns = Netns.create('install');
		await using lockFile = await LockFile.create();
		const both: RuleSet = {tables: [...good.tables, ...unknownMatch.tables]};
		const error = await t.throwsAsync(async () => installRules(netns, {
			ruleSet: both, backend, families, lockFile: lockFile.path, allowedModules: ['nosuchmatch'],
		}), {instanceOf: TestbedError, code: 'RULES_REJECTED'});
		t.regex(error.message, new RegExp(`^${driverOf(backend).programFor('ipv6')} rejected line \\d+, \`-A OUTPUT -m nosuchmatch -j RETURN\`: .*nosuchmatch`, 'u'));
		t.is(error.state, 'No traffic was sent, and nothing is left installed.');
		for (const {family, text} of await driverOf(backend).readBack(netns, {families, lockFile: lockFile.path})) {
			t.notRegex(text, /^-A /mu, String(family));
		}
	});
}

for (const backend of bothBackends) {
	test(`what is read once the kernel has the rules sees all of them, before they are compared; after a rejection nothing is read, ${backend}`, async t => {
		await using netns = Netns.create('install');
		await using lockFile = await LockFile.create();
		const request = {
			backend, families: ['ipv4'], lockFile: lockFile.path, allowedModules: ['nosuchmatch'],
		} as const;
		const steps: string[] = [];
		let reading: Promise<KernelTexts> | undefined;
		const install = async (ruleSet: RuleSet): Promise<void> => {
			await installAndReadBack(netns, {
				...request, ruleSet, onLoaded() {
					steps.push('loaded');
					reading = driverOf(backend).loadKernelTexts(netns, request);
				},
			});
			steps.push('compared');
		};

		await t.throwsAsync(install(parseSave('*nat\n-A OUTPUT -m nosuchmatch -j RETURN\nCOMMIT\n', 'ipv4')), {code: 'RULES_REJECTED'});
		t.deepEqual(steps, []);
		await install(good);
		t.deepEqual(steps, ['loaded', 'compared']);
		const rules = parseLoadedRules(await reading!, {backend, exceptTables: []});
		t.deepEqual(rules.map(({table, chain, number}) => `${table} ${chain} ${number}`).toSorted(), ['mangle OUTPUT 1', 'nat OUTPUT 1']);
	});
}

test('a native set that nft rejects is reported with its line and nft\'s reason, and nothing of it stays installed', async t => {
	await using netns = Netns.create('install');
	await using lockFile = await LockFile.create();
	const ruleSet = parseNft('table inet one {\n\tchain a {\n\t\taccept\n\t}\n}\ntable inet two {\n\tchain a {\n\t\tcounter jump nowhere\n\t}\n}\n');
	const error = await t.throwsAsync(async () => installRules(netns, {
		ruleSet, backend: 'nftables', families, lockFile: lockFile.path,
	}), {instanceOf: TestbedError, code: 'RULES_REJECTED'});
	t.regex(error.message, /^nft -f rejected line 8, `counter jump nowhere`: .*No such file or directory/u);
	t.is(await netns.run('nft', ['list', 'ruleset']), '');
});

/** What is left of rules, ip rules and routes in a namespace, as the tools print it. */
async function leftOf(netns: Netns, backend: Backend): Promise<string> {
	await using lockFile = await LockFile.create();
	const rules = await driverOf(backend).readBack(netns, {families, lockFile: lockFile.path});
	const routes = await Promise.all([netns.run('ip', ['-4', 'rule']), netns.run('ip', ['-6', 'rule']), netns.run('ip', ['-4', 'route', 'show', 'table', 'all'])]);
	return [...rules.map(({text}) => text), ...routes].join('\n').split('\n').filter(line => /^-A |counter|fwmark|default dev lo/u.test(line)).join('\n');
}

for (const backend of ['iptables-nft', 'iptables-legacy', 'nftables'] as const) {
	test(`a set replaces the previous one in the same sandbox completely, ${backend}`, async t => {
		const [first, second] = ['release:1.30 -m TPROXY --redirect-dns --capture-all-dns --drop-invalid -c eth1', 'release:1.30'].map(source => loadRuleInput({source, families, backend}));
		const options = optionsOf({rules: first!, families});
		await using ownSandbox = await ActorSandbox.create({...options, mesh: second!.mesh, intent: second!.intent});
		const {pod} = ownSandbox.sandbox;
		await ownSandbox.install({...first!, families});
		t.regex(await leftOf(pod, backend), /fwmark 0x539 lookup 133[\s\S]*default dev lo/u);
		t.regex(await leftOf(pod, backend), /zone/iu);

		const {ruleSet: installed} = await ownSandbox.install({...second!, families});
		t.deepEqual(installed.tables.filter(({chains}) => chains.some(({rules}) => rules.length > 0)).map(({name}) => name.replace('istio-proxy-', '')), backend === 'nftables' ? ['nat'] : ['nat', 'nat']);
		t.notRegex(await leftOf(pod, backend), /fwmark|default dev lo|zone|invalid|tproxy/iu);
	});
}

test('rules of two back ends in one sandbox: native ones are removed first, and none can follow those of iptables-legacy', async t => {
	const [nft, legacy] = bothBackends.map(backend => loadRuleInput({source: 'release:1.30', families, backend}));
	await using ownSandbox = await ActorSandbox.create({...optionsOf({rules: nft!}), mesh: nft!.mesh, intent: nft!.intent});
	await ownSandbox.install({...nft!, families});
	t.regex(await ownSandbox.sandbox.pod.run('nft', ['list', 'tables']), /table ip nat/);
	await ownSandbox.install({...legacy!, families});
	t.notRegex(await ownSandbox.sandbox.pod.run('nft', ['list', 'tables']), /table ip6? nat/);
	await t.throwsAsync(async () => ownSandbox.install({...nft!, families}), {instanceOf: RangeError, message: /with rules of iptables-legacy cannot get rules of iptables-nft/u});
});

for (const backend of bothBackends) {
	test(`only the family that differs is installed again, and both are read back, ${backend}`, async t => {
		const input = loadRuleInput({source: 'release:1.30', families, backend, source6: undefined});
		const options = optionsOf({rules: input, families});
		await using ownSandbox = await ActorSandbox.create({...options, mesh: input.mesh, intent: input.intent});
		const {pod} = ownSandbox.sandbox;
		const request = {...input, families};
		const first = await ownSandbox.install(request);
		const count = async (program: string): Promise<boolean> => {
			const text = await pod.run(program, ['-c']);
			return /^\[[1-9]\d*:\d+\] -A ISTIO_OUTPUT /mu.test(text);
		};

		const saves = backend === 'iptables-nft' ? ['iptables-nft-save', 'ip6tables-nft-save'] as const : ['iptables-legacy-save', 'ip6tables-legacy-save'] as const;
		for (const address of ['127.0.0.1', '::1']) {
			await t.throwsAsync(pod.run(process.execPath, ['-e', `require('net').connect(1, '${address}').on('error', () => process.exit(9))`])); // eslint-disable-line no-await-in-loop -- One after the other.
		}

		t.deepEqual(await Promise.all(saves.map(async program => count(program))), [true, true], 'both families have counted');
		const other = printRuleSet({backend, families: ['ipv6'], ruleSet: input.ruleSet}).replace('--to-ports 15001', '--to-ports 15002');
		const changed = {tables: [...restrictToFamilies(input.ruleSet, ['ipv4']).tables, ...parseSave(other, 'ipv6').tables]};
		const second = await ownSandbox.install({...request, ruleSet: changed});
		t.deepEqual(await Promise.all(saves.map(async program => count(program))), [true, false], 'IPv6 begins at zero, IPv4 was left alone');
		t.deepEqual(second.texts.map(({family}) => family), ['ipv4', 'ipv6']);
		const rulesIn = (text: string): readonly string[] => text.split('\n').filter(line => line.startsWith('-A '));
		t.deepEqual(rulesIn(second.texts[0]!.text), rulesIn(first.texts[0]!.text));
		t.regex(second.texts[1]!.text, /--to-ports 15002/u);

		await pod.run(saves[0].replace('-save', ''), ['-t', 'nat', '-F', 'ISTIO_OUTPUT']);
		const error = await t.throwsAsync(ownSandbox.install({...request, ruleSet: changed}), {instanceOf: TestbedError, code: 'RULES_REJECTED'});
		t.regex(error.message, /^The rules in the kernel differ from those that were installed\./u, 'rules that somebody changed meanwhile are noticed');
		await t.notThrowsAsync(ownSandbox.install({...request, ruleSet: changed}), 'after that, everything is installed again');
		t.regex(await pod.run(saves[0], []), /-A ISTIO_OUTPUT /u);
	});
}

test('the next rules in a sandbox begin without the connections of earlier ones', async t => {
	const input = loadRuleInput({source: 'release:1.30', families: ['ipv4'], source6: undefined});
	const options = optionsOf({rules: input});
	await using ownSandbox = await ActorSandbox.create({...options, mesh: input.mesh, intent: input.intent});
	const {pod} = ownSandbox.sandbox;
	await runOn(ownSandbox, options);
	t.regex(loadFlows(pod) ?? '', /sport=\d+ dport=8080/u);
	await ownSandbox.install({...input, families: ['ipv4']});
	t.is(loadFlows(pod), '');
});
