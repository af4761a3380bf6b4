import test from 'ava';
import {ambientFamilies, defaultAmbientOptions} from '../../../src/istio/ambient/options.js';
import {ambientHostNftRuleSet, ambientNftRuleSet} from '../../../src/istio/nftables/ambient.js';
import {ambientRuleSet} from '../../../src/istio/iptables/ambient.js';
import {roleOf, roles, type Role} from '../../../src/istio/roles/roles.js';
import {iptablesChain, iptablesTable} from '../../../src/istio/roles/backend-names.js';
import {rulesOf} from '../../../src/netfilter/lookup.js';
import {parseNftRule} from '../../../src/netfilter/nftables/rule.js';
import type {BaseChain, RuleSet} from '../../../src/netfilter/types.js';
import {ambientOptionsFromConfig} from '../../../src/istio/conformance/golden.js';
import {readAmbientGoldens} from '../../helpers/istio-ambient.js';

/** How nft 1.0.6 prints the priorities that Istio uses. */
function priorityOf({hook, priority}: BaseChain): string {
	const names: Readonly<Record<string, string>> = {
		'prerouting -100': 'dstnat', 'postrouting 100': 'srcnat', 'prerouting -150': 'mangle', 'output -150': 'mangle', 'prerouting -300': 'raw', 'output -300': 'raw',
	};
	return names[`${hook} ${priority}`] ?? String(priority);
}

/** A set as `nft -s list ruleset` prints it. */
function listing({tables}: RuleSet): string {
	return tables.map(({family, name, chains, objects = []}) => {
		const blocks = [
			...objects.map(({text}) => `\t${text}\n`),
			...chains.map(({name, base, policy, rules}) => [
				`\tchain ${name} {\n`,
				base === undefined ? '' : `\t\ttype ${base.type} hook ${base.hook} priority ${priorityOf(base)}; policy ${policy?.toLowerCase()};\n`,
				...rules.map(({text}) => `\t\t${text}\n`),
				'\t}\n',
			].join('')),
		];
		return `table ${family} ${name} {\n${blocks.join('\n')}}\n`;
	}).join('');
}

for (const golden of readAmbientGoldens('nftables')) {
	test(`equals the golden as the kernel prints it: ${golden.file}`, t => {
		const options = ambientOptionsFromConfig(golden);
		const families = ambientFamilies(options);
		t.is(listing(golden.scope === 'pod' ? ambientNftRuleSet(options, families) : ambientHostNftRuleSet(options, families)), golden.nft ?? '');
	});
}

test('every rule of every golden has a role, and every role that nft uses occurs', t => {
	const met = new Set<Role>();
	for (const {file, golden} of readAmbientGoldens('nftables')) {
		for (const [, table = '', chain = '', text = ''] of golden.matchAll(/^add rule inet (\S+) (\S+) (.*)$/gmu)) {
			const role = roleOf({chain, number: 1, ...parseNftRule(text)}, table);
			t.truthy(role, `${file} ${table} ${chain} ${text}`);
			if (role !== undefined) {
				met.add(role);
			}
		}
	}

	t.deepEqual([...met].filter(role => role.startsWith('ambient-')).toSorted(), (Object.keys(roles) as Role[]).filter(role => role.startsWith('ambient-') && role !== 'ambient-host-jump' && !role.startsWith('ambient-tproxy-')).toSorted());
});

/** The roles of each chain by its iptables name, each once: a rule of iptables may be two in nft, one per family. */
function rolesByChain(set: RuleSet): Readonly<Record<string, ReadonlyArray<Role | undefined>>> {
	const found: Record<string, Array<Role | undefined>> = {};
	for (const {table, chain, rule} of rulesOf(set)) {
		const place = `${iptablesTable(table)} ${iptablesChain(table, chain.name)}`;
		const role = roleOf(rule, table, chain);
		found[place] = (found[place] ?? []).includes(role) ? found[place] ?? [] : [...found[place] ?? [], role];
	}

	return found;
}

test('both back ends have the same roles in the same order', t => {
	for (const [redirectDns, ingress] of [[true, false], [false, true], [true, true], [false, false]] as const) {
		const options = {
			...defaultAmbientOptions, redirectDns, ingress, rerouteVirtualInterfaces: ['vm0'],
		};
		t.deepEqual(rolesByChain(ambientNftRuleSet(options, ['ipv4', 'ipv6'])), rolesByChain(ambientRuleSet(options, ['ipv4'])));
	}
});

test('a golden\'s text and its listing are the same rules', t => {
	for (const {golden, nft = ''} of readAmbientGoldens('nftables')) {
		for (const [, text = ''] of golden.matchAll(/^add rule inet \S+ \S+ (.*)$/gmu)) {
			t.true(nft.split('\n').includes(`\t\t${parseNftRule(text).text}`), text);
		}
	}
});
