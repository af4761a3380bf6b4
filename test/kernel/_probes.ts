/**
Random probes for the kernel: senders, destinations, and rules with every kind of condition.
*/

import fastCheck from 'fast-check';
import type {AddressFamily, Backend} from '../../src/netfilter/types.js';
import {printEndpoint} from '../../src/netfilter/path.js';
import {contradictionsOf, type ProbeQuestion, type ProbeReport} from '../../src/report/probe/types.js';
import {describeContradiction} from '../../src/report/probe/describe.js';
import {defaultTopology} from '../../src/mesh/topology.js';
import type {ActorCredentials, ActorName, Credentials} from '../../src/mesh/traffic.js';
import type {RuleInput} from '../../testbed/inputs/types.js';
import {sendQuestions} from '../../testbed/probe/explain.js';
import {ActorSandbox} from '../../testbed/run/actor-sandbox.js';
import {optionsOf} from './_run.js';

const {places, ports, resolver, passthroughSource} = defaultTopology;

/** Ports of rules and listeners, and others. */
const anyPort = fastCheck.oneof(
	fastCheck.constantFrom(ports.app, ports.istiod, ports.metrics, ports.health, 15_020, 15_008, 22, 53, 80, 443),
	fastCheck.integer({min: 1, max: 65_535}).filter(port => port !== 15_001 && port !== 15_006),
);

/** No host has a multicast or unspecified address. */
const anyIpv4 = fastCheck.ipV4().filter(address => !/^(?:0|127|22[4-9]|2[3-5]\d)\./u.test(address));

function anyAddress(family: AddressFamily): fastCheck.Arbitrary<string> {
	const known = [...Object.values(places), resolver, passthroughSource].map(pair => pair[family]);
	return family === 'ipv4'
		? fastCheck.oneof({weight: 4, arbitrary: fastCheck.constantFrom(...known, '127.0.0.53', '10.96.3.7')}, {weight: 1, arbitrary: anyIpv4})
		: fastCheck.oneof({weight: 4, arbitrary: fastCheck.constantFrom(...known)}, {weight: 1, arbitrary: fastCheck.constantFrom('2001:db8:96::77', 'fd00::8', '2001:db8:ffff::1')});
}

/** A question from one of the actors; from outside, the destination can only be the pod. */
export function anyQuestion(family: AddressFamily, credentials: ActorCredentials): fastCheck.Arbitrary<ProbeQuestion> {
	return fastCheck.tuple(fastCheck.constantFrom<ActorName>('app', 'app', 'agent', 'proxy', 'remote', 'prometheus'), anyAddress(family), anyPort).map(([from, address, port]) => {
		const isOutside = from === 'remote' || from === 'prometheus';
		const to = {address: isOutside ? places.pod[family] : address, port};
		return {
			from, credentials: credentials[from], asked: printEndpoint(to), to, source: undefined, family, protocol: 'tcp' as const,
		};
	});
}

/** Users in rules, and others. */
export const anyCredentials: fastCheck.Arbitrary<Credentials> = fastCheck.record({
	uid: fastCheck.constantFrom(0, 101, 1000, 1337, 2000, 64_535, 4_294_967_294),
	gid: fastCheck.constantFrom(0, 101, 999, 1000, 1337, 2000),
});

/** Runs rule sets one after the other in one sandbox, each with its own random questions; returns the answers. All need the same actors. */
export async function sendRandom({inputs, count, seed, family = 'ipv4', app, agent, proxy = {uid: 1337, gid: 1337}}: {
	readonly inputs: readonly RuleInput[];
	readonly count: number;
	readonly seed: number;
	readonly family?: AddressFamily;
	readonly app: Credentials;
	readonly agent: Credentials;
	readonly proxy?: Credentials;
}): Promise<readonly ProbeReport[]> {
	const [first] = inputs;
	const options = optionsOf({rules: first!, credentials: {proxy, app, agent}, timeoutMs: 4000});
	const {credentials, timeoutMs} = options;
	await using sandbox = await ActorSandbox.create({
		mesh: first!.mesh,
		intent: first!.intent,
		types: [],
		credentials,
		timeoutMs,
		actorSet: first!.mesh.traffic.actors({
			topology: defaultTopology, intent: first!.intent, names: ['proxy', 'app', 'remote', 'istiod', 'agent', 'prometheus'], credentials,
		}),
	});
	const answers: ProbeReport[] = [];
	for (const [index, rules] of inputs.entries()) {
		const questions = fastCheck.sample(anyQuestion(family, credentials), {numRuns: count, seed: seed + index});
		answers.push(...await sendQuestions(sandbox, { // eslint-disable-line no-await-in-loop -- One rule set at a time.
			...options, rules, questions, isFirstLegOnly: false,
		}));
	}

	return answers;
}

/** What is wrong with an answer: gaps, and contradictions between our model and the kernel. */
export function complaintsOf(report: ProbeReport): readonly string[] {
	const {question, rules, gaps} = report;
	const name = `${rules.source} ${rules.backend}: ${question.from} ${question.credentials.uid}:${question.credentials.gid} → ${question.asked}`;
	return [
		...gaps.map(({message}) => `${name}: gap: ${message}`),
		...contradictionsOf(report).map(({contradiction}) => `${name}: ${describeContradiction(contradiction)}`),
	];
}

/** How many rules were checked, how many matched, and for how many it is unknown why they did not. */
export function asked(reports: readonly ProbeReport[]): {readonly probes: number; readonly rules: number; readonly hits: number; readonly doubtful: number} {
	const rules = reports.flatMap(({explanations}) => explanations.flatMap(({chains}) => chains.flatMap(chain => chain.rules)));
	return {
		probes: reports.length, rules: rules.length, hits: rules.filter(({isHit}) => isHit).length, doubtful: rules.filter(({isHit, answer}) => !isHit && answer.kind === 'not-known').length,
	};
}

/** Conditions of iptables, each true of some probes and false of others, negated or not. */
export const iptablesConditions: Readonly<Record<'everywhere' | 'sent', readonly string[]>> = {
	everywhere: [
		'-p tcp', '! -p tcp', '-p udp', '! -p udp', '-s 10.244.1.10/32', '! -s 10.244.1.0/24', '-d 10.96.0.0/12', '! -d 10.96.0.0/12', '-d 127.0.0.0/8', '! -d 127.0.0.1/32',
		'-p tcp -m tcp --dport 8080', '-p tcp -m tcp ! --dport 8080', '-p tcp -m tcp --dport 1:1024', '-p tcp -m tcp ! --dport 1024:', '-p tcp -m multiport --dports 80,443,8080:8090',
		'-p tcp -m multiport ! --dports 53,15000:15100', '-p tcp -m tcp --sport 32768:50000', '-p udp -m udp --dport 53',
		'-m mark --mark 0x1', '-m mark ! --mark 0x0', '-m mark --mark 0x10/0xf0', '-m mark ! --mark 0x10/0xf0', '-m connmark --mark 0x2', '-m connmark ! --mark 0x0',
		'-m conntrack --ctstate NEW', '-m conntrack ! --ctstate NEW', '-m conntrack --ctstate RELATED,ESTABLISHED', '-m conntrack --ctstate INVALID', '-m conntrack --ctstate DNAT', '-m conntrack ! --ctstate DNAT,SNAT',
		'-m comment --comment "no condition"',
	],
	sent: [
		'-o lo', '! -o lo', '-o eth+', '! -o eth+', '-o +',
		'-m owner --uid-owner 1337', '-m owner ! --uid-owner 1337', '-m owner --uid-owner 0-1000', '-m owner ! --uid-owner 0-1000', '-m owner --gid-owner 1337', '-m owner ! --gid-owner 1337',
		'-m owner --uid-owner 1337 ! --gid-owner 1337', '-m owner --socket-exists', '-m owner ! --socket-exists',
	],
};

/** The same in nft syntax. */
export const nftConditions: readonly string[] = [
	'meta l4proto tcp', 'meta l4proto != tcp', 'meta l4proto udp', 'ip saddr 10.244.1.10', 'ip saddr != 10.244.1.0/24', 'ip daddr 10.96.0.0/12', 'ip daddr != 10.96.0.0/12', 'ip6 daddr ::1', 'ip6 daddr != ::1',
	'tcp dport 8080', 'tcp dport != 8080', 'tcp dport 1-1024', 'tcp dport { 80, 443, 8080-8090 }', 'tcp dport != { 53, 15000-15100 }', 'udp dport 53', 'tcp sport 32768-50000',
	'oifname "lo"', 'oifname != "lo"', 'oifname "eth*"', 'iifname "lo"', 'iifname != "lo"', 'iifname "eth0"', 'iifname != "eth*"',
	'meta skuid 1337', 'meta skuid != 1337', 'meta skuid 0-1000', 'meta skuid != 0-1000', 'meta skgid 1337', 'meta skgid != 1337',
	'meta mark 0x1', 'meta mark != 0x0', 'meta mark & 0xf0 == 0x10', 'meta mark & 0xf0 != 0x10', 'ct mark 0x2', 'ct mark != 0x0',
	'ct state new', 'ct state != new', 'ct state established,related', 'ct state invalid',
];

const iptablesActions = ['', '-j RETURN', '-j MARK --set-xmark 0x1/0xffffffff', '-j MARK --set-xmark 0x10/0xf0', '-j MARK --or-mark 0x4', '-j CONNMARK --set-xmark 0x2/0xffffffff', '-j CONNMARK --save-mark', '-j CONNMARK --restore-mark', '-j OTHER', '-g OTHER', '-j LOG'];
const nftActions = ['counter', 'counter return', 'counter accept', 'meta mark set 0x1 counter', 'counter meta mark set 0x1', 'counter meta mark set meta mark & 0xffffff0f | 0x10', 'counter ct mark set 0x2', 'counter ct mark set mark', 'counter meta mark set ct mark', 'counter jump other', 'counter goto other'];

function samples(conditions: readonly string[], actions: readonly string[], {count, seed}: {readonly count: number; readonly seed: number}): readonly string[] {
	// Two conditions of one module cannot stand in one rule of iptables, so there is one beside the action.
	const rule = fastCheck.tuple(fastCheck.constantFrom(...conditions), fastCheck.constantFrom(...actions)).map(parts => parts.filter(part => part !== '').join(' '));
	return fastCheck.sample(rule, {numRuns: count, seed});
}

/** A random firewall: every condition somewhere, in every table and hook that accepts it. */
export function randomFirewall(backend: Backend, seed: number): string {
	return backend === 'nftables' ? nftFirewall(seed) : iptablesFirewall(seed);
}

function iptablesFirewall(seed: number): string {
	const received = [...iptablesConditions.everywhere, '-i lo', '! -i lo', '-i eth+', '! -i eth0', '-i +'];
	const sent = [...iptablesConditions.everywhere, ...iptablesConditions.sent];
	const chains: ReadonlyArray<readonly [string, ReadonlyArray<readonly [string, readonly string[]]>]> = [
		['raw', [['PREROUTING', received], ['OUTPUT', sent]]],
		['mangle', [['PREROUTING', received], ['INPUT', received], ['OUTPUT', sent], ['POSTROUTING', sent]]],
		['nat', [['PREROUTING', received], ['INPUT', received], ['OUTPUT', sent], ['POSTROUTING', sent]]],
		['filter', [['INPUT', received], ['OUTPUT', sent]]],
	];
	return chains.flatMap(([table, members], index) => {
		// Marks are set by mangle; CONNMARK stands everywhere.
		const actions = table === 'mangle' ? iptablesActions : iptablesActions.filter(action => !action.includes(' MARK'));
		return [
			`*${table}`,
			...members.map(([name]) => `:${name} ACCEPT`),
			':OTHER -',
			...members.flatMap(([name, conditions], at) => samples(conditions, actions, {count: 14, seed: (seed * 100) + (index * 10) + at}).map(rule => `-A ${name} ${rule}`.trimEnd())),
			...samples(iptablesConditions.everywhere, iptablesActions.slice(0, 2), {count: 5, seed: seed + index}).map(rule => `-A OTHER ${rule}`.trimEnd()),
			'COMMIT',
		];
	}).join('\n') + '\n';
}

function nftFirewall(seed: number): string {
	const chains = [['prerouting', -300], ['output', -300], ['prerouting', -150], ['input', -150], ['output', -150], ['postrouting', -150], ['input', 0], ['output', 0]] as const;
	return [
		'table inet lottery {',
		'\tchain other {',
		...samples(nftConditions, nftActions.slice(0, 2), {count: 5, seed}).map(rule => `\t\t${rule}`),
		'\t}',
		...chains.flatMap(([hook, priority], index) => [
			`\tchain ${hook}${index} {`,
			`\t\ttype filter hook ${hook} priority ${priority}; policy accept;`,
			...samples(nftConditions, nftActions, {count: 14, seed: (seed * 100) + index}).map(rule => `\t\t${rule}`),
			'\t}',
		]),
		'}',
		'',
	].join('\n');
}
