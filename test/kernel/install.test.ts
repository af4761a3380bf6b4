/** The guarantees of installing: all or nothing, earlier rules are gone, and the kernel has what was requested. */

import test from 'ava';
import {parseNft} from '../../src/netfilter/nftables/ruleset.js';
import {parseSave} from '../../src/netfilter/iptables/save.js';
import type {Backend, RuleSet} from '../../src/netfilter/types.js';
import {TestbedError} from '../../testbed/errors.js';
import {LockFile} from '../../testbed/system/lock-file.js';
import {loadRuleInput} from '../../testbed/inputs/rules.js';
import {Netns} from '../../testbed/sandbox/netns.js';
import {installRules} from '../../testbed/sandbox/install.js';
import {driverOf} from '../../testbed/sandbox/backends/drivers.js';
import {ActorSandbox} from '../../testbed/run/actor-sandbox.js';
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
