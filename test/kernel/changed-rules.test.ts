/** Rules in other places, changed rules, foreign rules, and actors that the rules do not know: each must fail for the right reason, and nothing else may change. */

import test from 'ava';
import type {Backend} from '../../src/netfilter/types.js';
import {
	mutantStatusesOf, nameOf, whole, type MutantStatus, type MutantStatuses,
} from './_mutant-statuses.js';
import {
	bothBackends, defaultDump, inputOf, lineOf, outcomesOf, pathOf, replace, resultOf, run, stopsOf, without, type Variation,
} from './_run.js';

const dump = defaultDump();

function output(number: number): string {
	return lineOf(dump, 'ISTIO_OUTPUT', number);
}

const loopAt15001: MutantStatus = {
	as: 'loop', stops: 'proxy:15001 again and again', by: 'ISTIO_OUTPUT#9', wanted: 'proxy-uid-bypass', because: ['ISTIO_OUTPUT#4 not-matched'],
};

/** Rules that stand elsewhere, that say something else, or that are none of ours. */
const changes: ReadonlyArray<{
	readonly title: string;
	readonly backends?: readonly Backend[];
	readonly dump?: string;
	readonly variation?: Variation;
	readonly mutantStatuses: MutantStatuses;
	/** Rules that are noted as moved. */
	readonly moved?: readonly string[];
}> = [
	{
		title: '#2 in front of #1: the hairpin rule takes what the passthrough rule should let go',
		dump: replace(dump, `${output(1)}\n${output(2)}\n`, `${output(2)}\n${output(1)}\n`),
		mutantStatuses: {
			1: {
				as: 'loop', stops: 'proxy:15006 again and again', by: 'ISTIO_OUTPUT#1', wanted: 'passthrough-source', because: ['ISTIO_OUTPUT#1 earlier than ISTIO_OUTPUT#2'],
			},
			4: {
				as: 'loop', stops: 'proxy:15006 again and again', by: 'ISTIO_OUTPUT#1', wanted: 'passthrough-source', because: ['ISTIO_OUTPUT#1 earlier than ISTIO_OUTPUT#2'],
			},
		},
		moved: ['ISTIO_OUTPUT#2'],
	},
	{
		title: '#3 in front of #2: they take different packets, so nothing moves but the note',
		dump: replace(dump, `${output(2)}\n${output(3)}\n`, `${output(3)}\n${output(2)}\n`),
		mutantStatuses: {},
		moved: ['ISTIO_OUTPUT#3'],
	},
	{
		title: '#4 in front of #2: the bypass takes what the hairpin rule should capture',
		dump: replace(without(dump, output(4)), `${output(2)}\n`, `${output(4)}\n${output(2)}\n`),
		mutantStatuses: {
			4: {
				as: 'stop', stops: 'proxy:15001 → app:8080', by: 'ISTIO_OUTPUT#2', wanted: 'hairpin-by-uid', because: ['ISTIO_OUTPUT#2 earlier than ISTIO_OUTPUT#3'],
			},
		},
		moved: ['ISTIO_OUTPUT#2'],
	},
	{
		title: '#9 in front of #4: the proxy\'s own traffic is captured again',
		dump: replace(without(dump, output(9)), `${output(4)}\n`, `${output(9)}\n${output(4)}\n`),
		mutantStatuses: {
			2: {
				as: 'loop', stops: 'proxy:15001 again and again', by: 'ISTIO_OUTPUT#4', wanted: 'proxy-uid-bypass', because: ['ISTIO_OUTPUT#4 earlier than ISTIO_OUTPUT#5'],
			},
			3: {
				as: 'loop', stops: 'proxy:15001 again and again', by: 'ISTIO_OUTPUT#4', wanted: 'proxy-uid-bypass', because: ['ISTIO_OUTPUT#4 earlier than ISTIO_OUTPUT#5'],
			},
			5: {
				as: 'loop', stops: 'proxy:15001 again and again', by: 'ISTIO_OUTPUT#4', wanted: 'proxy-uid-bypass', because: ['ISTIO_OUTPUT#4 earlier than ISTIO_OUTPUT#5'],
			},
			6: {
				as: 'loop', stops: 'proxy:15001 again and again', by: 'ISTIO_OUTPUT#4', wanted: 'proxy-uid-bypass', because: ['ISTIO_OUTPUT#4 earlier than ISTIO_OUTPUT#5'],
			},
		},
		moved: ['ISTIO_OUTPUT#4'],
	},
	{
		title: 'the hairpin rule for another UID than the others: 15006 is skipped',
		dump: replace(dump, output(2), output(2).replace('--uid-owner 1337', '--uid-owner 1338')),
		mutantStatuses: {
			4: {
				as: 'stop', stops: 'proxy:15001 → app:8080', by: 'ISTIO_OUTPUT#4', wanted: 'hairpin-by-uid', because: ['ISTIO_OUTPUT#2 not-matched'],
			},
		},
	},
	{
		title: 'the outbound redirect to another port: nobody listens there',
		backends: bothBackends,
		dump: replace(dump, '--to-ports 15001', '--to-ports 15009'),
		mutantStatuses: {
			2: {
				as: 'stop', stops: 'refused', by: 'ISTIO_REDIRECT#1', wanted: 'outbound-redirect', because: [],
			},
			4: {
				as: 'stop', stops: 'refused', by: 'ISTIO_REDIRECT#1', wanted: 'outbound-redirect', because: [],
			},
		},
	},
	{
		title: 'the inbound redirect to the outbound listener',
		dump: replace(dump, '--to-ports 15006', '--to-ports 15001'),
		mutantStatuses: {
			1: {
				as: 'loop', stops: 'proxy:15001 again and again', by: 'ISTIO_IN_REDIRECT#1', wanted: 'inbound-redirect', because: [],
			},
			4: {
				as: 'loop', stops: 'proxy:15001 again and again', by: 'ISTIO_IN_REDIRECT#1', wanted: 'inbound-redirect', because: [],
			},
		},
	},
	{
		title: 'a proxy that runs as 1338: what it sends is captured again',
		backends: bothBackends,
		variation: {credentials: {proxy: {uid: 1338, gid: 1338}, agent: {uid: 1337, gid: 1337}}},
		mutantStatuses: {
			2: loopAt15001,
			4: {
				as: 'stop', stops: 'proxy:15001 → app:8080', by: 'ISTIO_OUTPUT#3', wanted: 'hairpin-by-uid', because: ['ISTIO_OUTPUT#2 not-matched'],
			},
		},
	},
	{
		title: '-u 64535,1337 with a proxy of UID 1337: the first block shadows the second, and 15006 is skipped',
		backends: bothBackends,
		variation: {rules: 'release:1.30 -u 64535,1337'},
		mutantStatuses: {
			4: {
				as: 'stop', stops: 'proxy:15001 → app:8080', by: 'ISTIO_OUTPUT#3', wanted: 'hairpin-by-uid', because: ['ISTIO_OUTPUT#3 earlier than ISTIO_OUTPUT#5'],
			},
		},
	},
	{
		title: 'somebody\'s own rule in front lets the app out',
		backends: bothBackends,
		dump: replace(dump, '-A OUTPUT -j ISTIO_OUTPUT\n', '-A OUTPUT -m owner --uid-owner 1000 -j RETURN\n-A OUTPUT -j ISTIO_OUTPUT\n'),
		mutantStatuses: {
			2: {
				as: 'stop', stops: 'remote:8080', by: 'OUTPUT#1', wanted: 'outbound-jump', because: ['OUTPUT#1 earlier than OUTPUT#2'],
			},
			4: {
				as: 'stop', stops: 'vip:8080', by: 'OUTPUT#1', wanted: 'outbound-jump', because: ['OUTPUT#1 earlier than OUTPUT#2'],
			},
		},
	},
	{
		title: 'somebody\'s own rule in front that only counts changes nothing',
		dump: replace(dump, '-A OUTPUT -j ISTIO_OUTPUT\n', '-A OUTPUT -m owner --uid-owner 1000\n-A OUTPUT -j ISTIO_OUTPUT\n'),
		mutantStatuses: {},
	},
	...([
		['dropped', 'DROP'],
		['rejected by an ICMP error', 'REJECT --reject-with icmp-port-unreachable'],
		['rejected by a reset', 'REJECT --reject-with tcp-reset'],
	] as const).map(([title, target]) => ({
		title: `what goes to istiod is ${title} in the filter table`,
		backends: bothBackends,
		dump: `${dump}*filter\n:OUTPUT ACCEPT\n-A OUTPUT -p tcp -m tcp --dport 15012 -j ${target}\nCOMMIT\n`,
		mutantStatuses: {
			6: {
				as: 'stop', stops: 'dropped by filter:OUTPUT#1', by: 'filter:OUTPUT#1', wanted: null, because: [],
			},
		} satisfies MutantStatuses,
	})),
	{
		title: 'what comes to the inbound listener is dropped in the filter table',
		dump: `${dump}*filter\n:INPUT ACCEPT\n-A INPUT -p tcp -m tcp --dport 15006 -j DROP\nCOMMIT\n`,
		mutantStatuses: {
			1: {
				as: 'stop', stops: 'dropped by filter:INPUT#1', by: 'filter:INPUT#1', wanted: null, because: [],
			},
			4: {
				as: 'stop', stops: 'proxy:15001 → dropped by filter:INPUT#1', by: 'filter:INPUT#1', wanted: null, because: [],
			},
		},
	},
];

for (const {title, backends = ['iptables-nft' as const], dump: text, variation, mutantStatuses, moved = []} of changes) {
	for (const backend of backends) {
		test.serial(`${title}, ${backend}`, async t => {
			const report = await run({
				backend, timeoutMs: 2000, ...(text === undefined ? {} : {rules: await inputOf(text)}), ...variation,
			});
			t.deepEqual(mutantStatusesOf(report), whole(mutantStatuses), JSON.stringify(outcomesOf(report), undefined, 1));
			t.deepEqual(report.ruleNotes.filter(({kind}) => kind === 'moved').map(({rule}) => nameOf(rule)), moved);
			t.deepEqual(report.ruleNotes.filter(({kind}) => kind === 'missing'), []);
		});
	}
}

test.serial('a loop is cut off after its eighth stop, and its stops are listed', async t => {
	const report = await run({rules: await inputOf(without(dump, output(1))), types: ['1']});
	const {loop, outcome} = resultOf(report, '1');
	t.true(loop);
	t.is(stopsOf(report, '1'), Array.from({length: 9}, () => 'proxy:15006').join(' → '));
	t.like(outcome, {kind: 'fail', differences: [{kind: 'loop', stop: 'proxy:15006', times: 9}]});
});

test.serial('a policy that drops is named by its chain', async t => {
	const rules = await inputOf(`${dump}*filter\n:OUTPUT DROP\n-A OUTPUT -o lo -j ACCEPT\nCOMMIT\n`);
	for (const backend of bothBackends) {
		const report = await run({ // eslint-disable-line no-await-in-loop -- One run at a time.
			backend, timeoutMs: 1000, types: ['6'], rules,
		});
		t.is(resultOf(report, '6').outcome.kind, 'fail', `${backend}: ${JSON.stringify(outcomesOf(report))}`);
		t.is(pathOf(report, '6'), 'agent > OUTPUT#1 > ISTIO_OUTPUT#4 > filter:OUTPUT > dropped', backend);
	}
});
