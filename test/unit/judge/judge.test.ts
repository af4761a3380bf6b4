import test from 'ava';
import type {Leg} from '../../../src/netfilter/path.js';
import type {Cause, Difference} from '../../../src/judge/outcome.js';
import {judge} from '../../../src/judge/judge.js';
import type {ActorCredentials, TypeId} from '../../../src/mesh/traffic.js';
import type {Gap, GapKind} from '../../../src/trace/gap.js';
import type {Observation} from '../../../src/trace/observation.js';
import {observed} from '../../helpers/observed.js';
import {
	deleteRule, differencesOf, insertRule, moveRule, outcomesOf, replaceRule, sketchReport, typeOf, type Mutation,
} from '../../helpers/reports.js';
import {ofIstio} from '../../helpers/mesh.js';

/** A cause as a word or two: `missing`, `earlier ISTIO_OUTPUT#2 < 3`. */
function printCause(cause: Cause): string {
	switch (cause.kind) {
		case 'missing':
		case 'same-stops': {
			return cause.kind;
		}

		case 'earlier': {
			return `${cause.rule.chain}#${cause.rule.number} before #${cause.before.number}`;
		}

		case 'not-matched':
		case 'not-reached': {
			return `${cause.kind} ${cause.rule.chain}#${cause.rule.number}`;
		}
	}
}

/** A difference as a line. Legs count from 1 here, as people count. */
function print(difference: Difference): string {
	const {kind, leg} = difference;
	const head = `${kind} ${leg + 1}:`;
	switch (kind) {
		case 'missing-leg': {
			return `${head} ${difference.expected.stop}`;
		}

		case 'surplus-leg': {
			return `${head} ${difference.observed.stop}`;
		}

		case 'no-loop': {
			return `${head} ${difference.observed.stop}`;
		}

		case 'closing': {
			return `${head} ${difference.observed.stop} ${difference.closed ?? 'open'}`;
		}

		case 'trait': {
			return `${head} ${difference.trait} ${difference.expectedTrait} ≠ ${difference.observedTrait}`;
		}

		case 'step': {
			return `${head} ${difference.expectedStep} ≠ ${difference.observedStep}`;
		}

		case 'actor': {
			return `${head} ${difference.expected.actor} ≠ ${difference.observed.actor}`;
		}

		case 'loop':
		case 'stop':
		case 'rule': {
			const {expectedRole, observedRole, rule, expected, observed: found, causes} = difference;
			const hit = rule === null ? 'no rule' : `${rule.chain}#${rule.number ?? '?'}`;
			return `${head} ${expectedRole ?? 'nothing'} ≠ ${observedRole ?? 'nothing'} by ${hit}, ${expected.stop} ≠ ${found.stop}${kind === 'loop' ? `, ${difference.times} × ${difference.stop}` : ''} (${causes.map(cause => printCause(cause)).join('; ')})`;
		}
	}
}

type Row = {
	readonly title: string;
	readonly mutate?: Mutation;
	readonly input?: string;
	readonly actors?: Partial<ActorCredentials>;
	/** Every type that is no pass, with its differences. */
	readonly expected: Partial<Record<TypeId, readonly string[]>>;
};

const table: readonly Row[] = [
	{title: 'the default rules', expected: {}},
	{
		title: 'ISTIO_OUTPUT#1 deleted',
		mutate: deleteRule('ISTIO_OUTPUT', 1),
		expected: {
			1: ['loop 2: passthrough-source ≠ hairpin-by-uid by ISTIO_OUTPUT#1, app:8080 ≠ proxy:15006, 9 × proxy:15006 (missing)'],
			4: ['loop 3: passthrough-source ≠ hairpin-by-uid by ISTIO_OUTPUT#1, app:8080 ≠ proxy:15006, 8 × proxy:15006 (missing)'],
		},
	},
	{
		title: 'ISTIO_OUTPUT#2 deleted',
		mutate: deleteRule('ISTIO_OUTPUT', 2),
		expected: {4: ['stop 2: hairpin-by-uid ≠ proxy-uid-bypass by ISTIO_OUTPUT#3, proxy:15006 ≠ app:8080 (missing)', 'missing-leg 3: app:8080']},
	},
	{title: 'ISTIO_OUTPUT#3 deleted', mutate: deleteRule('ISTIO_OUTPUT', 3), expected: {}},
	{
		title: 'ISTIO_OUTPUT#4 deleted',
		mutate: deleteRule('ISTIO_OUTPUT', 4),
		expected: {
			2: ['rule 2: proxy-uid-bypass ≠ proxy-gid-bypass by ISTIO_OUTPUT#6, remote:8080 ≠ remote:8080 (missing; same-stops)'],
			3: ['rule 2: proxy-uid-bypass ≠ proxy-gid-bypass by ISTIO_OUTPUT#6, proxy:15000 ≠ proxy:15000 (missing; same-stops)'],
			5: [
				'rule 1: proxy-uid-bypass ≠ proxy-gid-bypass by ISTIO_OUTPUT#6, proxy:15090 ≠ proxy:15090 (missing; same-stops)',
				'rule 2: proxy-uid-bypass ≠ proxy-gid-bypass by ISTIO_OUTPUT#6, proxy:15000 ≠ proxy:15000 (missing; same-stops)',
			],
			6: ['rule 1: proxy-uid-bypass ≠ proxy-gid-bypass by ISTIO_OUTPUT#6, istiod:15012 ≠ istiod:15012 (missing; same-stops)'],
		},
	},
	...[5, 6, 7, 8].map((number): Row => ({title: `ISTIO_OUTPUT#${number} deleted`, mutate: deleteRule('ISTIO_OUTPUT', number), expected: {}})),
	{
		title: 'ISTIO_OUTPUT#9 deleted',
		mutate: deleteRule('ISTIO_OUTPUT', 9),
		expected: {
			2: ['stop 1: outbound-capture ≠ nothing by no rule, proxy:15001 ≠ remote:8080 (missing)', 'missing-leg 2: remote:8080'],
			4: ['stop 1: outbound-capture ≠ nothing by no rule, proxy:15001 ≠ vip:8080 (missing)', 'missing-leg 2: proxy:15006', 'missing-leg 3: app:8080'],
		},
	},
	{
		title: 'the last of ISTIO_INBOUND deleted',
		mutate: deleteRule('ISTIO_INBOUND', 5),
		expected: {1: ['stop 1: inbound-capture ≠ nothing by no rule, proxy:15006 ≠ app:8080 (missing)', 'missing-leg 2: app:8080']},
	},
	{
		title: 'the jump to ISTIO_INBOUND deleted',
		mutate: deleteRule('PREROUTING', 1),
		expected: {
			1: ['stop 1: inbound-jump ≠ nothing by no rule, proxy:15006 ≠ app:8080 (missing)', 'missing-leg 2: app:8080'],
			3: ['rule 1: inbound-jump ≠ nothing by no rule, proxy:15090 ≠ proxy:15090 (missing; same-stops)'],
		},
	},
	{
		title: 'the exclusion of 15090 deleted',
		mutate: deleteRule('ISTIO_INBOUND', 2),
		// The other excluded ports have the same role, so the role is there, and its rules did not match.
		expected: {
			3: [
				'stop 1: inbound-port-exclude ≠ inbound-capture by ISTIO_INBOUND#4, proxy:15090 ≠ proxy:15006 (not-matched ISTIO_INBOUND#2)',
				'stop 2: proxy-uid-bypass ≠ passthrough-source by ISTIO_OUTPUT#1, proxy:15000 ≠ proxy:15090 (ISTIO_OUTPUT#1 before #4)',
				'surplus-leg 3: proxy:15000',
			],
		},
	},
	{
		title: 'a changed redirect port',
		mutate: replaceRule('ISTIO_REDIRECT', 1, '-p tcp -j REDIRECT --to-ports 15999'),
		expected: {
			2: ['stop 1: outbound-redirect ≠ outbound-redirect by ISTIO_REDIRECT#1, proxy:15001 ≠ refused ()', 'missing-leg 2: remote:8080'],
			4: ['stop 1: outbound-redirect ≠ outbound-redirect by ISTIO_REDIRECT#1, proxy:15001 ≠ refused ()', 'missing-leg 2: proxy:15006', 'missing-leg 3: app:8080'],
		},
	},
	{
		title: 'the bypass before the hairpin rule',
		mutate: moveRule('ISTIO_OUTPUT', {from: 4, to: 2}),
		expected: {4: ['stop 2: hairpin-by-uid ≠ proxy-uid-bypass by ISTIO_OUTPUT#2, proxy:15006 ≠ app:8080 (ISTIO_OUTPUT#2 before #3)', 'missing-leg 3: app:8080']},
	},
	{
		title: 'a foreign rule that accepts before the jump',
		mutate: insertRule('OUTPUT', 1, '-p tcp -m tcp --dport 8080 -j ACCEPT'),
		expected: {
			1: ['rule 2: outbound-jump ≠ nothing by OUTPUT#1, app:8080 ≠ app:8080 (OUTPUT#1 before #2; same-stops)'],
			2: ['stop 1: outbound-jump ≠ nothing by OUTPUT#1, proxy:15001 ≠ remote:8080 (OUTPUT#1 before #2)', 'missing-leg 2: remote:8080'],
			4: ['stop 1: outbound-jump ≠ nothing by OUTPUT#1, proxy:15001 ≠ vip:8080 (OUTPUT#1 before #2)', 'missing-leg 2: proxy:15006', 'missing-leg 3: app:8080'],
		},
	},
	{
		title: 'a foreign chain that is only passed is not to blame where a rule is missing',
		mutate: set => insertRule('OUTPUT', 2, '-j INPUT')(deleteRule('ISTIO_OUTPUT', 9)(set)),
		expected: {
			2: ['stop 1: outbound-capture ≠ nothing by no rule, proxy:15001 ≠ remote:8080 (missing)', 'missing-leg 2: remote:8080'],
			4: ['stop 1: outbound-capture ≠ nothing by no rule, proxy:15001 ≠ vip:8080 (missing)', 'missing-leg 2: proxy:15006', 'missing-leg 3: app:8080'],
		},
	},
	{
		title: 'a foreign rule that returns from the sidecar\'s chain',
		mutate: insertRule('ISTIO_OUTPUT', 9, '-p tcp -d 10.244.1.20/32 -j RETURN'),
		expected: {2: ['stop 1: outbound-capture ≠ nothing by ISTIO_OUTPUT#9, proxy:15001 ≠ remote:8080 (ISTIO_OUTPUT#9 before #10)', 'missing-leg 2: remote:8080']},
	},
	{title: 'a foreign rule that only counts', mutate: insertRule('OUTPUT', 1, '-p tcp'), expected: {}},
	{title: 'a foreign rule that only logs', mutate: insertRule('ISTIO_OUTPUT', 1, '-j LOG --log-prefix "out "'), expected: {}},
	{
		title: 'a foreign rule that logs is not to blame where a rule is missing',
		mutate: set => insertRule('ISTIO_OUTPUT', 1, '-j LOG')(deleteRule('ISTIO_OUTPUT', 9)(set)),
		expected: {
			2: ['stop 1: outbound-capture ≠ nothing by no rule, proxy:15001 ≠ remote:8080 (missing)', 'missing-leg 2: remote:8080'],
			4: ['stop 1: outbound-capture ≠ nothing by no rule, proxy:15001 ≠ vip:8080 (missing)', 'missing-leg 2: proxy:15006', 'missing-leg 3: app:8080'],
		},
	},
	{
		title: 'a surplus rule that has a role',
		mutate: insertRule('ISTIO_OUTPUT', 1, '-p tcp -m tcp --dport 8080 -j ISTIO_REDIRECT'),
		input: 'release:1.30 -i ""',
		expected: {
			1: ['loop 2: passthrough-source ≠ outbound-port-include by ISTIO_OUTPUT#1, app:8080 ≠ proxy:15001, 8 × proxy:15001 (ISTIO_OUTPUT#1 before #2)'],
			2: ['loop 1: nothing ≠ outbound-port-include by ISTIO_OUTPUT#1, remote:8080 ≠ proxy:15001, 9 × proxy:15001 ()'],
			4: ['loop 1: nothing ≠ outbound-port-include by ISTIO_OUTPUT#1, vip:8080 ≠ proxy:15001, 9 × proxy:15001 ()'],
		},
	},
	{
		title: 'a proxy that runs as another user',
		actors: {proxy: {uid: 1338, gid: 1338}},
		expected: {
			2: ['loop 2: proxy-uid-bypass ≠ outbound-capture by ISTIO_OUTPUT#9, remote:8080 ≠ proxy:15001, 9 × proxy:15001 (not-matched ISTIO_OUTPUT#4)'],
			4: ['stop 2: hairpin-by-uid ≠ loopback-not-proxy-uid by ISTIO_OUTPUT#3, proxy:15006 ≠ app:8080 (not-matched ISTIO_OUTPUT#2)', 'missing-leg 3: app:8080'],
		},
	},
	{
		title: 'a proxy that is known by its group alone',
		actors: {proxy: {uid: 0, gid: 1337}},
		expected: {4: ['stop 2: hairpin-by-gid ≠ loopback-not-proxy-uid by ISTIO_OUTPUT#3, proxy:15006 ≠ app:8080 (ISTIO_OUTPUT#3 before #5)', 'missing-leg 3: app:8080']},
	},
	{
		title: 'a second UID, shadowed on lo by the first one\'s rules',
		input: 'release:1.30 -u 64535,1337',
		expected: {
			4: ['stop 2: hairpin-by-uid ≠ loopback-not-proxy-uid by ISTIO_OUTPUT#3, proxy:15006 ≠ app:8080 (ISTIO_OUTPUT#3 before #5)', 'missing-leg 3: app:8080'],
			// Type 5 goes the way of #3 too, and that is expected: to a loopback address it is harmless.
		},
	},
	{
		title: 'a jump to another chain than the one with the rule',
		mutate: replaceRule('ISTIO_INBOUND', 5, '-p tcp -j ISTIO_REDIRECT'),
		// What led there is to blame, not the rule that it led to.
		expected: {
			1: [
				'stop 1: inbound-capture ≠ nothing by ISTIO_INBOUND#5, proxy:15006 ≠ proxy:15001 (missing)',
				'stop 2: passthrough-source ≠ hairpin-by-uid by ISTIO_OUTPUT#2, app:8080 ≠ proxy:15006 (not-matched ISTIO_OUTPUT#1)',
				'surplus-leg 3: app:8080',
			],
		},
	},
];

for (const {title, expected, ...sketch} of table) {
	for (const isLegacy of [false, true]) {
		test(`${title}${isLegacy ? ', iptables-legacy' : ''}`, t => {
			const report = sketchReport({...sketch, isLegacy});
			const found = Object.fromEntries(report.types.filter(({outcome}) => outcome.kind !== 'pass').map(({id}) => [id, differencesOf(report, id).map(difference => print(difference))]));
			t.deepEqual(found, expected as Record<string, string[]>);
		});
	}
}

function tamperLegs(change: (legs: readonly Leg[]) => readonly Leg[]): (observation: Observation) => Observation {
	return ({path, loop, gaps}) => observed(change(path.legs), {loop, gaps});
}

test('a leg that another actor opened', t => {
	const report = sketchReport({ids: ['2'], tamper: tamperLegs(legs => legs.map(leg => ({...leg, actor: 'agent'})))});
	t.deepEqual(differencesOf(report, '2').map(difference => print(difference)), ['actor 1: app ≠ agent', 'actor 2: proxy ≠ agent']);
});

test('a leg that was dropped has the rule', t => {
	const report = sketchReport({ids: ['1'], mutate: insertRule('ISTIO_INBOUND', 1, '-p tcp -m tcp --dport 8080 -j DROP')});
	t.deepEqual(differencesOf(report, '1').map(difference => print(difference)), [
		'stop 1: inbound-capture ≠ nothing by ISTIO_INBOUND#1, proxy:15006 ≠ dropped by ISTIO_INBOUND#1 (ISTIO_INBOUND#1 before #6)',
		'missing-leg 2: app:8080',
	]);
});

test('a chain that the packet does not reach', t => {
	// The redirection was skipped although the hairpin rule matched: no kernel does that, and it must not pass.
	const report = sketchReport({ids: ['2'], tamper: tamperLegs(legs => legs.map(leg => ({...leg, traversals: leg.traversals.map(traversal => ({...traversal, hits: []}))})))});
	t.deepEqual(differencesOf(report, '2').map(difference => print(difference)), [
		'rule 1: outbound-jump ≠ nothing by no rule, proxy:15001 ≠ proxy:15001 (not-matched OUTPUT#1; same-stops)',
		'rule 2: outbound-jump ≠ nothing by no rule, remote:8080 ≠ remote:8080 (not-matched OUTPUT#1; same-stops)',
	]);
	const bare = sketchReport({ids: ['2'], tamper: tamperLegs(legs => legs.map(leg => ({...leg, traversals: []})))});
	t.regex(differencesOf(bare, '2').map(difference => print(difference)).join('\n'), /not-reached OUTPUT#1/);
});

test('the roles of all matched rules, null for a foreign one', t => {
	const report = sketchReport({ids: ['2'], mutate: insertRule('OUTPUT', 1, '-p tcp')});
	t.deepEqual(typeOf(report, '2').observedRoles, [[null, 'outbound-jump', 'outbound-capture', 'outbound-redirect'], [null, 'outbound-jump', 'proxy-uid-bypass']]);
});

const gapKinds: readonly GapKind[] = [
	'lost-events', 'not-understood', 'not-traced', 'open-traversal', 'counter-mismatch', 'unwitnessed', 'no-end', 'credentials', 'ambiguous', 'actor-ended', 'unclaimed', 'rules-differ',
];

for (const kind of gapKinds) {
	test(`a gap makes a case inconclusive, never passed or failed: ${kind}`, t => {
		const gap: Gap = {kind, message: 'Something is missing.'};
		for (const mutate of [undefined, deleteRule('ISTIO_OUTPUT', 9)]) {
			const report = sketchReport({ids: ['2'], tamper: ({path, loop}) => observed(path.legs, {loop, gaps: [gap]}), ...(mutate === undefined ? {} : {mutate})});
			t.deepEqual(typeOf(report, '2').outcome, {kind: 'inconclusive', reasons: [gap]});
		}
	});
}

for (const [title, change, kind] of [
	['no leg at all', () => [], 'not-traced'],
	['an end that is not known', legs => legs.map((leg): Leg => ({...leg, end: {kind: 'unknown', reason: 'the trace ended'}})), 'no-end'],
	['a chain that was not left', legs => legs.map(leg => ({...leg, traversals: leg.traversals.map(traversal => ({...traversal, end: {by: 'open'}}))})), 'open-traversal'],
	['a rule that the set does not hold', legs => legs.map(leg => ({...leg, traversals: leg.traversals.map(traversal => ({...traversal, hits: traversal.hits.map(hit => ({...hit, number: undefined, text: undefined}))}))})), 'open-traversal'],
] as ReadonlyArray<readonly [string, (legs: readonly Leg[]) => readonly Leg[], GapKind]>) {
	test(`goes red: a path with a gap that is not reported: ${title}`, t => {
		const report = sketchReport({ids: ['2'], tamper: tamperLegs(change)});
		const {outcome} = typeOf(report, '2');
		t.is(outcome.kind === 'inconclusive' ? outcome.reasons[0]?.kind : outcome.kind, kind);
	});
}

test('an expectation without a leg is an error', t => {
	t.throws(() => judge({
		traffic: {
			id: '2',
			article: '2',
			name: 'local-to-remote',
			probe: {
				actor: 'app', family: 'ipv4', protocol: 'tcp', destination: {address: '10.244.1.20', port: 8080},
			},
			expected: {legs: []},
		},
		observation: observed([]),
		ruleSet: ofIstio({tables: []}),
	}), {instanceOf: RangeError, message: /type 2 expects no leg/});
});

test('both families and both orders of types are judged in the same way', t => {
	t.is(outcomesOf(sketchReport({families: ['ipv4', 'ipv6'], ids: ['6', '1']})), '6 pass, 1 pass, 6 pass, 1 pass');
	t.is(outcomesOf(sketchReport({families: ['ipv6'], ids: ['4'], mutate: deleteRule('ISTIO_OUTPUT', 2)})), '4 fail');
});
