import fc from 'fast-check';
import test from 'ava';
import {generate} from '../../../../src/istio/generate.js';
import {socketMarkOf} from '../../../../src/judge/explain/packet-facts.js';
import {explainLeg, type Contradiction, type LegExplanation} from '../../../../src/judge/explain/explain-leg.js';
import {parseNft} from '../../../../src/netfilter/nftables/ruleset.js';
import type {Leg, RuleHit, Traversal} from '../../../../src/netfilter/path.js';
import {parseSave} from '../../../../src/netfilter/iptables/save.js';
import type {
	AddressFamily, Match, Rule, RuleSet,
} from '../../../../src/netfilter/types.js';
import {describeContradiction} from '../../../../src/report/probe/describe.js';
import {intentOf} from '../../../../src/istio/intent.js';
import {defaultTopology} from '../../../../src/mesh/topology.js';
import type {ActorCredentials, ActorName, TrafficCase} from '../../../../src/mesh/traffic.js';
import {anyRun} from '../../../helpers/istio-options.js';
import {defaultActors, observe} from '../../../helpers/observed.js';
import {sketchReport} from '../../../helpers/reports.js';
import {ofIstio} from '../../../helpers/mesh.js';

const {places, ports} = defaultTopology;

/** A connection of anybody to anywhere, and who everybody is. */
const anyTraffic = fc.record({
	family: fc.constantFrom<AddressFamily>('ipv4', 'ipv6'),
	actor: fc.constantFrom<ActorName>('app', 'proxy', 'agent', 'remote', 'prometheus'),
	place: fc.constantFrom(...Object.keys(places) as Array<keyof typeof places>),
	port: fc.oneof(fc.constantFrom(...Object.values(ports), 22, 53, 443, 15_008, 15_020), fc.integer({min: 1, max: 65_535})),
	uids: fc.array(fc.constantFrom(0, 101, 1000, 1337, 64_535), {minLength: 3, maxLength: 3}),
	gids: fc.array(fc.constantFrom(0, 101, 999, 1000, 1337), {minLength: 3, maxLength: 3}),
});

type Traffic = typeof anyTraffic extends fc.Arbitrary<infer Value> ? Value : never;

function sent({family, actor, place, port, uids, gids}: Traffic): {readonly traffic: TrafficCase; readonly actors: ActorCredentials} {
	const [app, proxy, agent] = (['app', 'proxy', 'agent'] as const).map((_, index) => ({uid: uids[index]!, gid: gids[index]!}));
	const destination = {address: (actor === 'remote' || actor === 'prometheus' ? places.pod : places[place])[family], port};
	return {
		traffic: {
			id: '1',
			article: null,
			name: 'any',
			probe: {
				actor, family, protocol: 'tcp', destination,
			},
			expected: {legs: []},
		},
		actors: {
			...defaultActors, app: app!, proxy: proxy!, agent: agent!,
		},
	};
}

function sayings(explained: LegExplanation): readonly string[] {
	return explained.contradictions.map(contradiction => describeContradiction(contradiction));
}

/** The test helpers read rules in a way of their own (`plain-match.ts`); both readings must name the same rules for every release, every option and any packet. */
test('the model and an independent one meet the same rules', t => {
	let rules = 0;
	let hits = 0;
	fc.assert(fc.property(anyRun, anyTraffic, fc.boolean(), ({release, options}, any, isLegacy) => {
		const {traffic, actors} = sent(any);
		const ruleSet = generate({
			release, options, families: [any.family], backend: 'iptables-nft',
		});
		const intent = intentOf({options, release});
		const {legs} = observe({
			ruleSet, intent, actors, isLegacy,
		}, traffic).path;
		for (const [index, leg] of legs.entries()) {
			const explained = explainLeg(leg, ofIstio(ruleSet), {mark: socketMarkOf(legs, index, intent)});
			t.deepEqual(sayings(explained), []);
			const asked = explained.chains.flatMap(chain => chain.rules);
			t.deepEqual(asked.filter(({isHit}) => isHit).map(({rule}) => `${rule.chain}#${rule.number}`), leg.traversals.flatMap(traversal => traversal.hits.map(({chain, number}) => `${chain}#${number}`)));
			rules += asked.length;
			hits += asked.filter(({isHit}) => isHit).length;
		}
	}), {numRuns: 600});
	// A walk that asks nothing agrees with everybody.
	t.true(rules > 1000 && hits > 500 && rules > hits, `${rules} rules, ${hits} hits`);
});

type Spoil = (hits: readonly RuleHit[]) => readonly RuleHit[];

function spoilt(leg: Leg, spoil: Spoil): Leg {
	return {...leg, traversals: leg.traversals.map((traversal): Traversal => ({...traversal, hits: spoil(traversal.hits)}))};
}

const report = sketchReport({ids: ['2']});
const [toProxy] = report.types[0]!.legs;

test('each rule that was tested, in the kernel\'s order, with its role and the packet\'s value', t => {
	const [output, postrouting] = explainLeg(toProxy!, ofIstio(report.ruleSet), {mark: 0}).chains;
	t.deepEqual(output!.rules.map(({rule, role, isHit, isDeciding, answer}) => [`${rule.chain}#${rule.number}`, role, isHit, isDeciding, answer.kind === 'fails' ? answer.match.kind : answer.kind]), [
		['OUTPUT#1', 'outbound-jump', true, false, 'matches'],
		['ISTIO_OUTPUT#1', 'passthrough-source', false, false, 'source'],
		['ISTIO_OUTPUT#2', 'hairpin-by-uid', false, false, 'out-interface'],
		['ISTIO_OUTPUT#3', 'loopback-not-proxy-uid', false, false, 'out-interface'],
		['ISTIO_OUTPUT#4', 'proxy-uid-bypass', false, false, 'uid'],
		['ISTIO_OUTPUT#5', 'hairpin-by-gid', false, false, 'out-interface'],
		['ISTIO_OUTPUT#6', 'loopback-not-proxy-gid', false, false, 'out-interface'],
		['ISTIO_OUTPUT#7', 'proxy-gid-bypass', false, false, 'gid'],
		['ISTIO_OUTPUT#8', 'localhost-bypass', false, false, 'destination'],
		['ISTIO_OUTPUT#9', 'outbound-capture', true, false, 'matches'],
		['ISTIO_REDIRECT#1', 'outbound-redirect', true, true, 'matches'],
	]);
	t.deepEqual(postrouting!.rules, []);
	t.is(output!.rules[4]!.facts.socket === 'none' ? undefined : output!.rules[4]!.facts.socket?.uid, 1000);
});

/** Traces that are not of this rule set, and what is found. */
const lies: ReadonlyArray<readonly [title: string, spoil: Spoil, kinds: ReadonlyArray<Contradiction['kind']>, said: RegExp]> = [
	['a hit is missing at the end', hits => hits.slice(0, -1), ['match-without-hit'], /ISTIO_REDIRECT#1: the model says that it matches, and the trace does not show it: -p tcp -j REDIRECT/u],
	['a hit is missing in the middle', hits => hits.filter(({chain}) => chain !== 'ISTIO_OUTPUT'), ['match-without-hit', 'out-of-way'], /ISTIO_OUTPUT#9: .* matches, and the trace does not show it/u],
	['no hit at all', () => [], ['match-without-hit'], /OUTPUT#1: .* does not show it: -j ISTIO_OUTPUT/u],
	['another rule', hits => hits.map(hit => hit.number === 9 ? {...hit, number: 4, verdict: 'return'} : hit), ['hit-fails', 'out-of-way'], /ISTIO_OUTPUT#4: the trace shows a match, and the model says that it does not match \(--uid-owner 1337: the socket's UID is 1000\)/u],
	['a rule that there is not', hits => hits.map(hit => hit.number === 9 ? {...hit, number: undefined} : hit), ['match-without-hit', 'out-of-way', 'out-of-way'], /the trace shows ISTIO_OUTPUT#\?, which the packet does not reach/u],
	['a rule of a chain that nothing leads to', hits => hits.map(hit => hit.chain === 'ISTIO_REDIRECT' ? {...hit, chain: 'ISTIO_INBOUND'} : hit), ['match-without-hit', 'out-of-way'], /the trace shows ISTIO_INBOUND#1, which/u],
];

for (const [title, spoil, kinds, said] of lies) {
	test(`goes red: ${title}`, t => {
		const [first] = spoilt(toProxy!, spoil).traversals;
		const explained = explainLeg({...toProxy!, traversals: [first!]}, ofIstio(report.ruleSet), {mark: 0});
		t.deepEqual(explained.contradictions.map(({kind}) => kind), kinds);
		t.true(sayings(explained).some(text => said.test(text)), sayings(explained).join('\n'));
	});
}

/** A rule set with one rule made another. */
function withRule(ruleSet: RuleSet, {chain: name, number}: {readonly chain: string; readonly number: number}, change: (rule: Rule) => Rule): RuleSet {
	return {
		tables: ruleSet.tables.map(table => ({
			...table,
			chains: table.chains.map(chain => chain.name === name ? {...chain, rules: chain.rules.map(rule => rule.number === number ? change(rule) : rule)} : chain),
		})),
	};
}

const uid1000: Match = {
	kind: 'uid', negated: false, from: 1000, to: 1000,
};

test('goes red: a condition that was misread', t => {
	const misread = withRule(report.ruleSet, {chain: 'ISTIO_OUTPUT', number: 4}, rule => ({...rule, matches: [uid1000]}));
	t.deepEqual(explainLeg(toProxy!, ofIstio(misread), {mark: 0}).contradictions.map(({kind}) => kind), ['match-without-hit']);
	const other = withRule(report.ruleSet, {chain: 'ISTIO_REDIRECT', number: 1}, rule => ({...rule, matches: [{kind: 'protocol', negated: false, protocol: 'udp'}]}));
	t.deepEqual(explainLeg(toProxy!, ofIstio(other), {mark: 0}).contradictions.map(({kind}) => kind), ['hit-fails']);
});

test('goes red: a target that was misread', t => {
	const misread = withRule(report.ruleSet, {chain: 'ISTIO_OUTPUT', number: 9}, rule => ({...rule, target: {kind: 'jump', chain: 'ISTIO_IN_REDIRECT'}}));
	t.deepEqual(explainLeg(toProxy!, ofIstio(misread), {mark: 0}).contradictions.map(({kind}) => kind), ['match-without-hit', 'out-of-way']);
});

test('a chain that is not in the set: the hits in it are reported as out of the way', t => {
	t.deepEqual(explainLeg(toProxy!, ofIstio({tables: []}), {mark: 0}).contradictions.map(({kind}) => kind), ['out-of-way', 'out-of-way', 'out-of-way']);
});

/** Sets with every way of leading on, walked by hand: the hits, and the rules that were asked. */
const walks: ReadonlyArray<{readonly title: string; readonly ruleSet: RuleSet; readonly place: Pick<Traversal, 'family' | 'table' | 'chain'>; readonly hits: ReadonlyArray<readonly [string, number, RuleHit['verdict']]>; readonly asked: string}> = [
	{
		title: 'goto does not come back to the chain that it was in, and its caller goes on',
		ruleSet: parseSave('*mangle\n:OUTPUT ACCEPT\n:A -\n:B -\n-A OUTPUT -j A\n-A OUTPUT -p udp\n-A A -g B\n-A A -j DROP\n-A B -p udp\nCOMMIT\n', 'ipv4'),
		place: {family: 'ip', table: 'mangle', chain: 'OUTPUT'},
		hits: [['OUTPUT', 1, 'jump'], ['A', 1, 'goto']],
		asked: '+OUTPUT#1 +A#1 -B#1 -OUTPUT#2',
	},
	{
		title: 'a chain that returns leads on behind the jump, twice as well; a rule that marks leads on',
		ruleSet: parseSave('*mangle\n:OUTPUT ACCEPT\n:A -\n-A OUTPUT -j A\n-A OUTPUT -j MARK --set-xmark 0x1/0xffffffff\n-A OUTPUT -j A\n-A OUTPUT -j ACCEPT\n-A OUTPUT -j DROP\n-A A -m mark ! --mark 0x1 -j RETURN\n-A A -p udp\nCOMMIT\n', 'ipv4'),
		place: {family: 'ip', table: 'mangle', chain: 'OUTPUT'},
		hits: [['OUTPUT', 1, undefined], ['A', 1, undefined], ['OUTPUT', 2, undefined], ['OUTPUT', 3, undefined], ['OUTPUT', 4, 'accept']],
		asked: '+OUTPUT#1 +A#1 +OUTPUT#2 +OUTPUT#3 -A#1 -A#2 +OUTPUT#4',
	},
	{
		title: 'a return in a base chain ends it',
		ruleSet: parseSave('*mangle\n:OUTPUT ACCEPT\n-A OUTPUT -j RETURN\n-A OUTPUT -j DROP\nCOMMIT\n', 'ipv4'),
		place: {family: 'ip', table: 'mangle', chain: 'OUTPUT'},
		hits: [['OUTPUT', 1, 'return']],
		asked: '+OUTPUT#1',
	},
	{
		title: 'a verdict map leads where its next hit is',
		ruleSet: parseNft('table inet t {\n\tchain a {\n\t\ttcp dport 2 counter\n\t}\n\tchain o {\n\t\ttype filter hook output priority -150; policy accept;\n\t\ttcp dport vmap { 2 : jump a, 3 : drop }\n\t\ttcp dport vmap { 3 : drop }\n\t\tmeta l4proto udp counter\n\t}\n}\n'),
		place: {family: 'inet', table: 't', chain: 'o'},
		hits: [['o', 1, 'jump'], ['a', 1, 'continue']],
		asked: '+o#1 +a#1 ?o#2 -o#3',
	},
];

for (const {title, ruleSet, place, hits, asked} of walks) {
	test(title, t => {
		const walked: Leg = {
			...toProxy!,
			to: {...toProxy!.to, port: 2},
			traversals: [{
				...toProxy!.traversals[0]!, ...place, destination: {...toProxy!.to, port: 2}, end: {by: 'policy', verdict: 'accept'},
				hits: hits.map(([chain, number, verdict]) => ({
					...place, chain, number, handle: undefined, text: '', verdict,
				})),
			}],
		};
		const explained = explainLeg(walked, ofIstio(ruleSet), {mark: 0});
		t.deepEqual(sayings(explained), []);
		t.is(explained.chains[0]!.rules.map(({rule, isHit, answer}) => `${isHit ? '+' : (answer.kind === 'fails' ? '-' : '?')}${rule.chain}#${rule.number}`).join(' '), asked);
	});
}

test('a mark that was set in mangle is visible in nat', t => {
	const ruleSet = parseSave('*mangle\n:OUTPUT ACCEPT\n-A OUTPUT -j MARK --set-xmark 0x7/0xffffffff\nCOMMIT\n*nat\n:OUTPUT ACCEPT\n-A OUTPUT -m mark --mark 0x7 -j ACCEPT\nCOMMIT\n', 'ipv4');
	const [first] = toProxy!.traversals;
	const traversalIn = (table: string): Traversal => ({
		...first!, table, hits: [{
			family: 'ip', table, chain: 'OUTPUT', number: 1, handle: undefined, text: '', verdict: table === 'nat' ? 'accept' : 'continue',
		}],
	});
	const both = explainLeg({...toProxy!, traversals: [traversalIn('mangle'), traversalIn('nat')]}, ofIstio(ruleSet), {mark: 0});
	t.deepEqual(both.contradictions, []);
	// And without mangle it is a contradiction.
	t.deepEqual(explainLeg({...toProxy!, traversals: [traversalIn('nat')]}, ofIstio(ruleSet), {mark: 0}).contradictions.map(({kind}) => kind), ['hit-fails']);
	t.deepEqual(explainLeg({...toProxy!, traversals: [traversalIn('nat')]}, ofIstio(ruleSet), {mark: 7}).contradictions, []);
});
