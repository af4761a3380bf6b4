/** Rule sets that are wrong, and actors that the rules do not know: each must be seen to fail, as what it is, and nothing else may move. */

import test from 'ava';
import type {Role} from '../../src/istio/role.js';
import {printLegEnd, type RuleHit} from '../../src/netfilter/path.js';
import type {Backend} from '../../src/netfilter/types.js';
import {defaultTypeIds} from '../../src/scenario/six-types.js';
import type {TypeId} from '../../src/scenario/types.js';
import type {Report, TypeResult} from '../../src/report/types.js';
import {
	bothBackends, defaultDump, inputOf, lengthOf, lineOf, outcomesOf, pathOf, replace, resultOf, run, stopsOf, without, type Variation,
} from './_run.js';

/** What became of a type, in short: the kinds of difference, the rule that decided, the role that was due, and why its rule did not decide. */
type Fate =
	| 'pass'
	| {
		readonly as: 'loop' | 'stop' | 'rule';
		/** What was met: a listener that accepted, or how it ended. */
		readonly stops: string;
		/** The rule that decided; null where none matched any more. */
		readonly by: string | null;
		readonly due: Role | null;
		readonly because: readonly string[];
	};

function nameOf({table, chain, number}: Pick<RuleHit, 'table' | 'chain' | 'number'>): string {
	return `${table === 'nat' ? '' : `${table}:`}${chain}#${number}`;
}

function fateOf({outcome, legs, loop}: TypeResult): Fate | string {
	if (outcome.kind !== 'fail') {
		return outcome.kind;
	}

	const [first] = outcome.differences;
	if (first === undefined || first.kind === 'actor' || first.kind === 'missing-leg' || first.kind === 'surplus-leg') {
		return `fails first by ${first?.kind}`;
	}

	const ends = legs.map(({end}) => printLegEnd(end));
	return {
		as: first.kind,
		stops: loop ? `${first.kind === 'loop' ? first.stop : ''} again and again` : ends.join(' → '),
		by: first.rule === null ? null : nameOf(first.rule),
		due: first.expectedRole,
		because: first.causes.map(cause => {
			switch (cause.kind) {
				case 'earlier': {
					return `${nameOf(cause.rule)} earlier than ${nameOf(cause.before)}`;
				}

				case 'not-matched':
				case 'not-reached': {
					return `${nameOf(cause.rule)} ${cause.kind}`;
				}

				case 'missing':
				case 'same-stops': {
					return cause.kind;
				}
			}
		}),
	};
}

type Fates = Partial<Record<TypeId, Fate>>;

function fatesOf(report: Report): Readonly<Record<string, Fate | string>> {
	return Object.fromEntries(report.types.map(result => [result.id, fateOf(result)]));
}

/** All types that are not named pass. */
function whole(fates: Fates, ids: readonly TypeId[] = defaultTypeIds): Readonly<Record<string, Fate>> {
	return Object.fromEntries(ids.map(id => [id, fates[id] ?? 'pass']));
}

const dump = defaultDump();

function output(number: number): string {
	return lineOf(dump, 'ISTIO_OUTPUT', number);
}

type Deletion = {
	readonly chain: string;
	readonly number: number;
	readonly role: Role;
	readonly fates: Fates;
	/** Who keeps the stops in its place, where somebody does, and the types that need it. */
	readonly note: {readonly coveredBy: string | null; readonly types: readonly TypeId[]};
};

const nobodyNeedsIt = {coveredBy: null, types: []} as const;

/** One rule of the default set less. */
const deletions: readonly Deletion[] = [
	{
		chain: 'ISTIO_OUTPUT', number: 1, role: 'passthrough-source',
		fates: {
			1: {
				as: 'loop', stops: 'proxy:15006 again and again', by: 'ISTIO_OUTPUT#1', due: 'passthrough-source', because: ['missing'],
			},
			4: {
				as: 'loop', stops: 'proxy:15006 again and again', by: 'ISTIO_OUTPUT#1', due: 'passthrough-source', because: ['missing'],
			},
		},
		note: {coveredBy: null, types: ['1', '4']},
	},
	{
		chain: 'ISTIO_OUTPUT', number: 2, role: 'hairpin-by-uid',
		fates: {
			4: {
				as: 'stop', stops: 'proxy:15001 → app:8080', by: 'ISTIO_OUTPUT#3', due: 'hairpin-by-uid', because: ['missing'],
			},
		},
		note: {coveredBy: null, types: ['4']},
	},
	{
		chain: 'ISTIO_OUTPUT', number: 3, role: 'loopback-not-proxy-uid', fates: {}, note: nobodyNeedsIt,
	},
	{
		chain: 'ISTIO_OUTPUT', number: 4, role: 'proxy-uid-bypass',
		fates: {
			2: {
				as: 'rule', stops: 'proxy:15001 → remote:8080', by: 'ISTIO_OUTPUT#6', due: 'proxy-uid-bypass', because: ['missing', 'same-stops'],
			},
			5: {
				as: 'rule', stops: 'proxy:15090', by: 'ISTIO_OUTPUT#6', due: 'proxy-uid-bypass', because: ['missing', 'same-stops'],
			},
			6: {
				as: 'rule', stops: 'istiod:15012', by: 'ISTIO_OUTPUT#6', due: 'proxy-uid-bypass', because: ['missing', 'same-stops'],
			},
		},
		// #7 of the default set, which is #6 now.
		note: {coveredBy: 'ISTIO_OUTPUT#6', types: ['2', '5', '6']},
	},
	{
		chain: 'ISTIO_OUTPUT', number: 5, role: 'hairpin-by-gid', fates: {}, note: nobodyNeedsIt,
	},
	{
		chain: 'ISTIO_OUTPUT', number: 6, role: 'loopback-not-proxy-gid', fates: {}, note: nobodyNeedsIt,
	},
	{
		chain: 'ISTIO_OUTPUT', number: 7, role: 'proxy-gid-bypass', fates: {}, note: nobodyNeedsIt,
	},
	{
		chain: 'ISTIO_OUTPUT', number: 8, role: 'localhost-bypass', fates: {}, note: nobodyNeedsIt,
	},
	{
		chain: 'ISTIO_OUTPUT', number: 9, role: 'outbound-capture',
		fates: {
			2: {
				as: 'stop', stops: 'remote:8080', by: null, due: 'outbound-capture', because: ['missing'],
			},
			4: {
				as: 'stop', stops: 'vip:8080', by: null, due: 'outbound-capture', because: ['missing'],
			},
		},
		note: {coveredBy: null, types: ['2', '4']},
	},
	{
		chain: 'ISTIO_INBOUND', number: lengthOf('ISTIO_INBOUND'), role: 'inbound-capture',
		fates: {
			1: {
				as: 'stop', stops: 'app:8080', by: null, due: 'inbound-capture', because: ['missing'],
			},
		},
		note: {coveredBy: null, types: ['1']},
	},
];

for (const {chain, number, role, fates, note} of deletions) {
	for (const backend of bothBackends) {
		test.serial(`without ${chain}#${number} (${role}), ${backend}: ${Object.keys(fates).length === 0 ? 'nothing moves' : `types ${Object.keys(fates).join(' and ')} fail`}`, async t => {
			const report = await run({backend, rules: await inputOf(without(dump, lineOf(dump, chain, number)))});
			t.deepEqual(fatesOf(report), whole(fates));

			const missing = report.ruleNotes.filter(entry => entry.kind === 'missing');
			t.deepEqual(missing.map(entry => ({
				rule: nameOf(entry.rule), role: entry.role, coveredBy: entry.coveredBy === null ? null : nameOf(entry.coveredBy), types: entry.types,
			})), [{rule: `${chain}#${number}`, role, ...note}]);
			t.true(missing.every(({reason}) => reason !== ''));
		});
	}
}

test('the table of deletions has every rule of ISTIO_OUTPUT', t => {
	t.deepEqual(deletions.filter(({chain}) => chain === 'ISTIO_OUTPUT').map(({number}) => number), Array.from({length: lengthOf('ISTIO_OUTPUT')}, (_, index) => index + 1));
});

test.serial('the default set: #3 and #5 to #8 are not reached, and the report names what shadows them', async t => {
	const report = await run();
	const notReached = report.ruleNotes.filter(({kind, rule}) => kind === 'not-reached' && rule.chain === 'ISTIO_OUTPUT');
	t.deepEqual(notReached.map(({rule}) => rule.number), [3, 5, 6, 7, 8]);
	for (const {rule, reason} of notReached.filter(({rule: {number}}) => [5, 6, 8].includes(number))) {
		t.regex(reason, /rule 3 .*rule 4/, nameOf(rule));
	}
});

test.serial('what #3 is for is seen by 4b, which #5 then covers', async t => {
	const report = await run({rules: await inputOf(without(dump, output(3))), types: ['4b']});
	t.deepEqual(fatesOf(report), {
		'4b': {
			as: 'rule', stops: 'app:8080', by: 'ISTIO_OUTPUT#5', due: 'loopback-not-proxy-uid', because: ['missing', 'same-stops'],
		},
	});
});

const loopAt15001: Fate = {
	as: 'loop', stops: 'proxy:15001 again and again', by: 'ISTIO_OUTPUT#9', due: 'proxy-uid-bypass', because: ['ISTIO_OUTPUT#4 not-matched'],
};

/** Rules that stand elsewhere, that say something else, or that are none of ours. */
const changes: ReadonlyArray<{
	readonly title: string;
	readonly backends?: readonly Backend[];
	readonly dump?: string;
	readonly variation?: Variation;
	readonly fates: Fates;
	/** Rules that are noted as moved. */
	readonly moved?: readonly string[];
}> = [
	{
		title: '#2 in front of #1: the hairpin rule takes what the passthrough rule should let go',
		dump: replace(dump, `${output(1)}\n${output(2)}\n`, `${output(2)}\n${output(1)}\n`),
		fates: {
			1: {
				as: 'loop', stops: 'proxy:15006 again and again', by: 'ISTIO_OUTPUT#1', due: 'passthrough-source', because: ['ISTIO_OUTPUT#1 earlier than ISTIO_OUTPUT#2'],
			},
			4: {
				as: 'loop', stops: 'proxy:15006 again and again', by: 'ISTIO_OUTPUT#1', due: 'passthrough-source', because: ['ISTIO_OUTPUT#1 earlier than ISTIO_OUTPUT#2'],
			},
		},
		moved: ['ISTIO_OUTPUT#2'],
	},
	{
		title: '#3 in front of #2: they take different packets, so nothing moves but the note',
		dump: replace(dump, `${output(2)}\n${output(3)}\n`, `${output(3)}\n${output(2)}\n`),
		fates: {},
		moved: ['ISTIO_OUTPUT#3'],
	},
	{
		title: '#4 in front of #2: the bypass takes what the hairpin rule should capture',
		dump: replace(without(dump, output(4)), `${output(2)}\n`, `${output(4)}\n${output(2)}\n`),
		fates: {
			4: {
				as: 'stop', stops: 'proxy:15001 → app:8080', by: 'ISTIO_OUTPUT#2', due: 'hairpin-by-uid', because: ['ISTIO_OUTPUT#2 earlier than ISTIO_OUTPUT#3'],
			},
		},
		moved: ['ISTIO_OUTPUT#2'],
	},
	{
		title: '#9 in front of #4: the proxy\'s own traffic is captured again',
		dump: replace(without(dump, output(9)), `${output(4)}\n`, `${output(9)}\n${output(4)}\n`),
		fates: {
			2: {
				as: 'loop', stops: 'proxy:15001 again and again', by: 'ISTIO_OUTPUT#4', due: 'proxy-uid-bypass', because: ['ISTIO_OUTPUT#4 earlier than ISTIO_OUTPUT#5'],
			},
			5: {
				as: 'loop', stops: 'proxy:15001 again and again', by: 'ISTIO_OUTPUT#4', due: 'proxy-uid-bypass', because: ['ISTIO_OUTPUT#4 earlier than ISTIO_OUTPUT#5'],
			},
			6: {
				as: 'loop', stops: 'proxy:15001 again and again', by: 'ISTIO_OUTPUT#4', due: 'proxy-uid-bypass', because: ['ISTIO_OUTPUT#4 earlier than ISTIO_OUTPUT#5'],
			},
		},
		moved: ['ISTIO_OUTPUT#4'],
	},
	{
		title: 'the hairpin rule for another UID than the others: 15006 is skipped',
		dump: replace(dump, output(2), output(2).replace('--uid-owner 1337', '--uid-owner 1338')),
		fates: {
			4: {
				as: 'stop', stops: 'proxy:15001 → app:8080', by: 'ISTIO_OUTPUT#4', due: 'hairpin-by-uid', because: ['ISTIO_OUTPUT#2 not-matched'],
			},
		},
	},
	{
		title: 'the outbound redirect to another port: nobody listens there',
		backends: bothBackends,
		dump: replace(dump, '--to-ports 15001', '--to-ports 15009'),
		fates: {
			2: {
				as: 'stop', stops: 'refused', by: 'ISTIO_REDIRECT#1', due: 'outbound-redirect', because: [],
			},
			4: {
				as: 'stop', stops: 'refused', by: 'ISTIO_REDIRECT#1', due: 'outbound-redirect', because: [],
			},
		},
	},
	{
		title: 'the inbound redirect to the outbound listener',
		dump: replace(dump, '--to-ports 15006', '--to-ports 15001'),
		fates: {
			1: {
				as: 'loop', stops: 'proxy:15001 again and again', by: 'ISTIO_IN_REDIRECT#1', due: 'inbound-redirect', because: [],
			},
			4: {
				as: 'loop', stops: 'proxy:15001 again and again', by: 'ISTIO_IN_REDIRECT#1', due: 'inbound-redirect', because: [],
			},
		},
	},
	{
		title: 'a proxy that runs as 1338: what it sends is captured again',
		backends: bothBackends,
		variation: {credentials: {proxy: {uid: 1338, gid: 1338}, agent: {uid: 1337, gid: 1337}}},
		fates: {
			2: loopAt15001,
			4: {
				as: 'stop', stops: 'proxy:15001 → app:8080', by: 'ISTIO_OUTPUT#3', due: 'hairpin-by-uid', because: ['ISTIO_OUTPUT#2 not-matched'],
			},
		},
	},
	{
		title: '-u 64535,1337 with a proxy of UID 1337: the first block shadows the second, and 15006 is skipped',
		backends: bothBackends,
		variation: {rules: 'release:1.30 -u 64535,1337'},
		fates: {
			4: {
				as: 'stop', stops: 'proxy:15001 → app:8080', by: 'ISTIO_OUTPUT#3', due: 'hairpin-by-uid', because: ['ISTIO_OUTPUT#3 earlier than ISTIO_OUTPUT#5'],
			},
			5: {
				as: 'rule', stops: 'proxy:15090', by: 'ISTIO_OUTPUT#3', due: 'proxy-uid-bypass', because: ['ISTIO_OUTPUT#3 earlier than ISTIO_OUTPUT#7', 'same-stops'],
			},
		},
	},
	{
		title: 'somebody\'s own rule in front lets the app out',
		backends: bothBackends,
		dump: replace(dump, '-A OUTPUT -j ISTIO_OUTPUT\n', '-A OUTPUT -m owner --uid-owner 1000 -j RETURN\n-A OUTPUT -j ISTIO_OUTPUT\n'),
		fates: {
			2: {
				as: 'stop', stops: 'remote:8080', by: 'OUTPUT#1', due: 'outbound-jump', because: ['OUTPUT#1 earlier than OUTPUT#2'],
			},
			4: {
				as: 'stop', stops: 'vip:8080', by: 'OUTPUT#1', due: 'outbound-jump', because: ['OUTPUT#1 earlier than OUTPUT#2'],
			},
		},
	},
	{
		title: 'somebody\'s own rule in front that only counts changes nothing',
		dump: replace(dump, '-A OUTPUT -j ISTIO_OUTPUT\n', '-A OUTPUT -m owner --uid-owner 1000\n-A OUTPUT -j ISTIO_OUTPUT\n'),
		fates: {},
	},
	...([
		['dropped', 'DROP'],
		['rejected by an ICMP error', 'REJECT --reject-with icmp-port-unreachable'],
		['rejected by a reset', 'REJECT --reject-with tcp-reset'],
	] as const).map(([title, target]) => ({
		title: `what goes to istiod is ${title} in the filter table`,
		backends: bothBackends,
		dump: `${dump}*filter\n:OUTPUT ACCEPT\n-A OUTPUT -p tcp -m tcp --dport 15012 -j ${target}\nCOMMIT\n`,
		fates: {
			6: {
				as: 'stop', stops: 'dropped by filter:OUTPUT#1', by: 'filter:OUTPUT#1', due: null, because: [],
			},
		} satisfies Fates,
	})),
	{
		title: 'what comes to the inbound listener is dropped in the filter table',
		dump: `${dump}*filter\n:INPUT ACCEPT\n-A INPUT -p tcp -m tcp --dport 15006 -j DROP\nCOMMIT\n`,
		fates: {
			1: {
				as: 'stop', stops: 'dropped by filter:INPUT#1', by: 'filter:INPUT#1', due: null, because: [],
			},
			4: {
				as: 'stop', stops: 'proxy:15001 → dropped by filter:INPUT#1', by: 'filter:INPUT#1', due: null, because: [],
			},
		},
	},
];

for (const {title, backends = ['iptables-nft' as const], dump: text, variation, fates, moved = []} of changes) {
	for (const backend of backends) {
		test.serial(`${title}, ${backend}`, async t => {
			const report = await run({
				backend, timeoutMs: 2000, ...(text === undefined ? {} : {rules: await inputOf(text)}), ...variation,
			});
			t.deepEqual(fatesOf(report), whole(fates), JSON.stringify(outcomesOf(report), undefined, 1));
			t.deepEqual(report.ruleNotes.filter(({kind}) => kind === 'moved').map(({rule}) => nameOf(rule)), moved);
			t.deepEqual(report.ruleNotes.filter(({kind}) => kind === 'missing'), []);
		});
	}
}

test.serial('a loop is cut after its eighth stop, and its stops are told', async t => {
	const report = await run({rules: await inputOf(without(dump, output(1))), types: ['1']});
	const {loop, outcome} = resultOf(report, '1');
	t.true(loop);
	t.is(stopsOf(report, '1'), Array.from({length: 9}, () => 'proxy:15006').join(' → '));
	t.like(outcome, {kind: 'fail', differences: [{kind: 'loop', stop: 'proxy:15006', times: 9}]});
});

test.serial('the same holds for IPv6: without #1 types 1 and 4 loop, without #9 the proxy is left out', async t => {
	const dump6 = defaultDump('ipv6');
	for (const [number, failing] of [[1, ['1', '4']], [9, ['2', '4']]] as const) {
		const report = await run({rules: await inputOf(without(dump6, lineOf(dump6, 'ISTIO_OUTPUT', number)), {family: 'ipv6'}), families: ['ipv6']}); // eslint-disable-line no-await-in-loop -- One run at a time.
		t.deepEqual(report.types.filter(({outcome}) => outcome.kind === 'fail').map(({id}) => id), failing);
		t.is(report.types.some(({loop}) => loop), number === 1);
	}
});

test.serial('a policy that drops is named by its chain', async t => {
	for (const backend of bothBackends) {
		const report = await run({ // eslint-disable-line no-await-in-loop -- One run at a time.
			backend, timeoutMs: 1000, types: ['6'], rules: await inputOf(`${dump}*filter\n:OUTPUT DROP\n-A OUTPUT -o lo -j ACCEPT\nCOMMIT\n`),
		});
		t.is(resultOf(report, '6').outcome.kind, 'fail', `${backend}: ${JSON.stringify(outcomesOf(report))}`);
		t.is(pathOf(report, '6'), 'agent > OUTPUT#1 > ISTIO_OUTPUT#4 > filter:OUTPUT > dropped', backend);
	}
});
