import test from 'ava';
import {ambientRuleSet} from '../../../../src/istio/iptables/ambient.js';
import {parseAmbientInput} from '../../../../src/istio/ambient/options.js';
import {parseReleaseInput} from '../../../../src/istio/options/arguments.js';
import {sidecarRuleSet} from '../../../../src/istio/iptables/sidecar.js';
import {explainerOf, rolesBeyondIntent, type RuleExplanation} from '../../../../src/judge/explain/explain-rule.js';
import {findChain, rulesOf} from '../../../../src/netfilter/lookup.js';
import {parseSave} from '../../../../src/netfilter/iptables/save.js';
import type {
	AddressFamily, Chain, Family, RuleSet,
} from '../../../../src/netfilter/types.js';
import {intentOf, intentOfRuleSet, intentOfAmbient} from '../../../../src/istio/intent.js';
import {defaultTopology} from '../../../../src/mesh/topology.js';
import type {Intent} from '../../../../src/mesh/traffic.js';
import {insertRule} from '../../../helpers/reports.js';
import {ofIstio} from '../../../helpers/mesh.js';
import {istio} from '../../../../src/istio/mesh.js';

function input(text: string, families: readonly AddressFamily[]): {readonly ruleSet: RuleSet; readonly intent: Intent} {
	const {release, options} = parseReleaseInput(text);
	return {ruleSet: sidecarRuleSet(release, options, families), intent: intentOf({options, release})};
}

/** The explanations of a chain's rules. */
function explained(text: string, {chain, families = ['ipv4'], family = 'ip', mutate = same}: {
	readonly chain: string; readonly families?: readonly AddressFamily[]; readonly family?: Family; readonly mutate?: (ruleSet: RuleSet) => RuleSet;
}): readonly RuleExplanation[] {
	const {ruleSet, intent} = input(text, families);
	const explain = explainerOf({mesh: istio, intent, topology: defaultTopology, families});
	const found = findChain(mutate(ruleSet), {family, table: 'nat', chain})!;
	return found.rules.map(rule => explain({
		family, table: 'nat', chain: found, rule,
	}));
}

function same(ruleSet: RuleSet): RuleSet {
	return ruleSet;
}

function typesOf(explanations: readonly RuleExplanation[], family: AddressFamily = 'ipv4'): readonly string[] {
	return explanations.map(({types}) => types?.[family]?.join(' ') ?? 'unknown');
}

const rows: ReadonlyArray<{readonly title: string; readonly input?: string; readonly chain: string; readonly types: readonly string[]}> = [
	{title: 'the default ISTIO_OUTPUT', chain: 'ISTIO_OUTPUT', types: ['1 4', '4', '4b', '2 3 5 6', '', '', '', '', '2 4']},
	{title: 'of rules of one role, the one for the port', chain: 'ISTIO_INBOUND', types: ['', '3', '', '', '1']},
	{title: 'the jump of everything that goes out', chain: 'OUTPUT', types: ['1 2 3 4 4b 5 6']},
	{title: 'the inbound listener', chain: 'ISTIO_IN_REDIRECT', types: ['1 4']},
	{
		title: 'two users of the proxy: each block is for its own', input: 'release:1.30 -u 64535,1337', chain: 'ISTIO_OUTPUT',
		types: ['1 4', '4', '3 4b 5', '2 3 5 6', '4', '', '2 6', '', '', '', '', '', '', '', '2 4'],
	},
	{title: 'ports and ranges that are let go', input: 'release:1.30 -o 15012,9 -x 10.244.1.20/32,10.0.0.0/8', chain: 'ISTIO_OUTPUT', types: ['6', '', '', '', '1', '', '4b', '3 5', '', '', '', '', '2', '4', '']},
];

for (const {title, input: text = 'release:1.30', chain, types} of rows) {
	test(`types: ${title}`, t => {
		t.deepEqual(typesOf(explained(text, {chain})), types);
	});
}

test('roles, purposes and releases come from the roles', t => {
	for (const {role, purpose, history} of explained('release:1.30', {chain: 'ISTIO_OUTPUT'})) {
		t.is(purpose, istio.roles[role!]!.purpose);
		t.is(history, istio.roles[role!]!);
	}
});

test('shadows', t => {
	const shadows = explained('release:1.30', {chain: 'ISTIO_OUTPUT'}).map(({shadow}) => shadow?.by.map(({number}) => number).join(' ') ?? '');
	t.deepEqual(shadows, ['', '', '', '', '3 4', '3 4', '', '3 4', '']);
	const needed = explained('release:1.30 -u 64535,1337', {chain: 'ISTIO_OUTPUT'})[4]!;
	t.deepEqual([needed.role, needed.types?.ipv4, needed.shadow?.by.map(({number}) => number)], ['hairpin-by-uid', ['4'], [3, 4]]);
});

test('a foreign rule has no role, no release and no type', t => {
	const [foreign] = explained('release:1.30', {chain: 'OUTPUT', mutate: insertRule('OUTPUT', 1, '-p tcp -m tcp --dport 22 -j ACCEPT')});
	t.deepEqual(foreign, {
		role: null, purpose: null, history: null, types: {ipv4: []}, shadow: null,
	});
});

test('families: a table of one family has results for that family only', t => {
	const families = ['ipv4', 'ipv6'] as const;
	t.deepEqual(explained('release:1.30', {chain: 'OUTPUT', families, family: 'ip6'}).map(({types}) => Object.keys(types ?? {})), [['ipv6']]);
	t.deepEqual(typesOf(explained('release:1.30', {chain: 'ISTIO_OUTPUT', families, family: 'ip6'}), 'ipv6'), ['1 4', '4', '4b', '2 3 5 6', '', '', '', '', '2 4']);
	t.deepEqual(explained('release:1.30', {chain: 'OUTPUT', families: ['ipv4'], family: 'ip'}).map(({types}) => Object.keys(types ?? {})), [['ipv4']]);
});

test('a native table has results for both families, and a rule with an address for one', t => {
	const chain: Chain = {
		name: 'istio-output',
		policy: undefined,
		rules: [['127.0.0.6', 'ip'], ['::6', 'ip6']].map(([address = '', word = ''], index) => ({
			chain: 'istio-output',
			number: index + 1,
			matches: [{kind: 'source', negated: false, address}, {kind: 'out-interface', negated: false, name: 'lo'}],
			target: {kind: 'verdict', verdict: 'return'},
			text: `oifname "lo" ${word} saddr ${address} counter return`,
		})),
	};
	const explain = explainerOf({mesh: istio, intent: input('release:1.30', ['ipv4']).intent, topology: defaultTopology, families: ['ipv4', 'ipv6']});
	const types = chain.rules.map(rule => explain({
		family: 'inet', table: 'istio-proxy-nat', chain, rule,
	}).types);
	t.deepEqual(types, [{ipv4: ['1', '4']}, {ipv6: ['1', '4']}]);
});

test('without an intent the types are unknown, and everything else is not', t => {
	const {ruleSet} = input('release:1.30', ['ipv4']);
	const explain = explainerOf({mesh: istio, intent: null, topology: defaultTopology, families: ['ipv4']});
	for (const placed of rulesOf(ruleSet)) {
		const {types, role, purpose} = explain(placed);
		t.is(types, null);
		t.true(role !== null && purpose !== null);
	}
});

test('the proxy is known by its group alone', t => {
	const texts = ['-o lo ! -d 127.0.0.1/32 -m owner --gid-owner 1337 -j ISTIO_IN_REDIRECT', '-o lo -m owner ! --gid-owner 1337 -j RETURN', '-m owner --gid-owner 1337 -j RETURN'];
	const ruleSet = parseSave(`*nat\n:ISTIO_IN_REDIRECT -\n:ISTIO_OUTPUT -\n${texts.map(text => `-A ISTIO_OUTPUT ${text}\n`).join('')}COMMIT\n`, 'ipv4');
	const intent: Intent = {...intentOfRuleSet(ruleSet), proxyUids: [], proxyGids: [1337]};
	const explain = explainerOf({mesh: istio, intent, topology: defaultTopology, families: ['ipv4']});
	t.deepEqual([...rulesOf(ruleSet)].map(placed => explain(placed).types?.ipv4), [['4'], ['4b'], ['2', '3', '5', '6']]);
});

test('a transparent proxy is root with the proxy\'s group, and ztunnel is told by its mark', t => {
	t.deepEqual(typesOf(explained('release:1.30 -m TPROXY', {chain: 'ISTIO_OUTPUT'})), ['', '', '1 3 4 4b 5', '', '', '', '2 6', '', '2 4']);
	const {options} = parseAmbientInput('ambient:1.30');
	const explain = explainerOf({mesh: istio, intent: intentOfAmbient(options), topology: defaultTopology, families: ['ipv4']});
	const types = new Map([...rulesOf(ambientRuleSet(options, ['ipv4']))].map(placed => explain(placed)).map(({role, types: own}) => [role, own?.ipv4?.join(' ')]));
	t.is(types.get('ambient-outbound-redirect'), '2 4 6');
	t.is(types.get('ambient-inbound-redirect'), '1 3');
	t.is(types.get('ambient-dns-redirect-tcp'), '');
});

test('the app never has one of the proxy\'s users', t => {
	t.deepEqual(typesOf(explained('release:1.30 -u 1000 -g 1001', {chain: 'ISTIO_OUTPUT'})), ['1 4', '4', '4b', '2 3 5 6', '', '', '', '', '2 4']);
});

for (const [text, found] of [
	['release:1.30', []],
	['release:1.30 -m TPROXY', []],
	['release:1.30 --redirect-dns', []],
	['release:1.30 -i 10.0.0.0/8 -x 10.1.0.0/16 -b 80 -q 81 -o 82', ['inbound-port-include', 'outbound-port-exclude', 'range-exclude', 'outbound-port-include', 'range-include']],
	['release:1.30 ISTIO_OUTBOUND_OWNER_GROUPS=2', ['group-include']],
	['release:1.30 -c eth1', ['interface-exclude-inbound', 'interface-exclude-outbound']],
	['release:1.30 -k eth1', ['virtual-interface-capture', 'interface-exclude-inbound']],
] as const) {
	test(`roles of options that cannot be read from a dump: ${text}`, t => {
		t.deepEqual(rolesBeyondIntent(ofIstio(input(text, ['ipv4']).ruleSet)), found);
	});
}
