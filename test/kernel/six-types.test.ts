/** The six types with correct rules: what the kernel does, by rule number, and where the article differs. The paths were measured: Linux 6.18, iptables 1.8.9, both back ends. */

import test from 'ava';
import {addressFamilies} from '../../src/mesh/topology.js';
import {typeIds, type IstioTypeId} from '../../src/istio/traffic/six-types.js';
import type {PublishedTypeId} from '../../src/mesh/published.js';
import {
	bothBackends, outcomesOf, pathOf, resultOf, run, sayings, stopsOf, type Variation,
} from './_run.js';

const captured = 'app > OUTPUT#1 > ISTIO_OUTPUT#9 > ISTIO_REDIRECT#1 > POSTROUTING > proxy:15001';
/** What the proxy asks to answer for its metrics. */
const toAdmin = 'OUTPUT#1 > ISTIO_OUTPUT#4 > POSTROUTING > proxy:15000';
const toApp = 'OUTPUT#1 > ISTIO_OUTPUT#1 > POSTROUTING > app:8080';

const paths: Readonly<Record<IstioTypeId, string>> = {
	1: `remote > PREROUTING#1 > ISTIO_INBOUND#5 > ISTIO_IN_REDIRECT#1 > INPUT > proxy:15006 > ${toApp}`,
	2: `${captured} > OUTPUT#1 > ISTIO_OUTPUT#4 > POSTROUTING > remote:8080`,
	3: `prometheus > PREROUTING#1 > ISTIO_INBOUND#2 > INPUT > proxy:15090 > ${toAdmin}`,
	4: `${captured} > OUTPUT#1 > ISTIO_OUTPUT#2 > ISTIO_IN_REDIRECT#1 > POSTROUTING > proxy:15006 > ${toApp}`,
	'4b': 'app > OUTPUT#1 > ISTIO_OUTPUT#3 > POSTROUTING > app:8080',
	5: `proxy > OUTPUT#1 > ISTIO_OUTPUT#4 > POSTROUTING > proxy:15090 > ${toAdmin}`,
	6: 'agent > OUTPUT#1 > ISTIO_OUTPUT#4 > POSTROUTING > istiod:15012',
};

const stops: Readonly<Record<IstioTypeId, string>> = {
	1: 'proxy:15006 → app:8080',
	2: 'proxy:15001 → remote:8080',
	3: 'proxy:15090 → proxy:15000',
	4: 'proxy:15001 → proxy:15006 → app:8080',
	'4b': 'app:8080',
	5: 'proxy:15090 → proxy:15000',
	6: 'istiod:15012',
};

/** What each reason must speak of, where the article differs from the kernel. */
const reasons: Readonly<Record<PublishedTypeId, readonly RegExp[]>> = {
	1: [],
	2: [],
	3: [/first packet/i, /ISTIO_OUTPUT#3/],
	4: [],
	5: [/1337/, /ISTIO_OUTPUT#4/, /ISTIO_OUTPUT#8/],
	6: [/1337/, /ISTIO_OUTPUT#4/, /ISTIO_OUTPUT#9/],
};

function passesOf(ids: readonly IstioTypeId[], families: readonly string[]): Readonly<Record<string, string>> {
	return Object.fromEntries(families.flatMap(family => ids.map(id => [`${id} ${family}`, 'pass'])));
}

for (const backend of bothBackends) {
	test.serial(`the default rules, ${backend}, both families: each type passes by exactly these rules`, async t => {
		const report = await run({backend, families: addressFamilies, types: typeIds});
		t.deepEqual(outcomesOf(report), passesOf(typeIds, addressFamilies));
		for (const family of addressFamilies) {
			for (const id of typeIds) {
				t.is(pathOf(report, id, family), paths[id], `type ${id}, ${family}`);
				t.is(stopsOf(report, id, family), stops[id], `type ${id}, ${family}`);
			}
		}
	});

	for (const family of addressFamilies) {
		test.serial(`the published claims, ${backend}, ${family}: 1, 2 and 4 agree, 3, 5 and 6 do not, with a reason`, async t => {
			const report = await run({backend, families: [family]});
			for (const [id, wanted] of Object.entries(reasons) as ReadonlyArray<[PublishedTypeId, readonly RegExp[]]>) {
				const {published} = resultOf(report, id, family);
				t.is(published?.agrees, wanted.length === 0, `type ${id}: ${published?.reason}`);
				for (const pattern of wanted) {
					t.regex(published?.reason ?? '', pattern, `type ${id}`);
				}
			}
		});
	}
}

test.serial('nothing is published about 4b', async t => {
	const report = await run({types: ['4b']});
	t.is(resultOf(report, '4b').published, null);
});

test.serial('every hit has its text, its number and the kernel\'s verdict, and every socket its owner', async t => {
	const report = await run();
	for (const {legs, id} of report.types) {
		for (const leg of legs) {
			t.is(leg.socket === undefined, ['remote', 'prometheus'].includes(leg.actor), `type ${id}, ${leg.actor}`);
			for (const {hits, end} of leg.traversals) {
				t.not(end.by, 'open');
				t.true(hits.every(({text, number, handle, verdict}) => text !== undefined && number !== undefined && handle !== undefined && verdict !== undefined), `type ${id}`);
			}
		}
	}

	t.deepEqual(resultOf(report, '4').actors, {app: {uid: 1000, gid: 1000}, proxy: {uid: 1337, gid: 1337}});
	t.deepEqual(report.hints, []);
	t.deepEqual(new Set(report.ruleNotes.map(({kind}) => kind)), new Set(['not-reached']));
});

/** Other actors or other options: what they change of the default paths. Everything passes. */
type ByType<Value> = Partial<Record<IstioTypeId, Value>>;

const variants: ReadonlyArray<{readonly title: string; readonly variation: Variation; readonly changed: ByType<string>; readonly agrees?: ByType<boolean>}> = [
	{
		title: 'an agent of neither the proxy\'s user nor its group goes through the proxy, as the article says',
		variation: {credentials: {agent: {uid: 0, gid: 0}}},
		changed: {6: 'agent > OUTPUT#1 > ISTIO_OUTPUT#9 > ISTIO_REDIRECT#1 > POSTROUTING > proxy:15001 > OUTPUT#1 > ISTIO_OUTPUT#4 > POSTROUTING > istiod:15012'},
		agrees: {6: true},
	},
	{
		title: 'an agent as root of the proxy\'s group is let out by its group',
		variation: {credentials: {agent: {uid: 0, gid: 1337}}},
		changed: {6: 'agent > OUTPUT#1 > ISTIO_OUTPUT#7 > POSTROUTING > istiod:15012'},
		agrees: {6: false},
	},
	{
		title: 'an app with another user is captured all the same',
		variation: {credentials: {app: {uid: 65_534, gid: 65_534}}},
		changed: {},
	},
	{
		title: '-u 2000 -g 2000 with a proxy of that user',
		variation: {rules: 'release:1.30 -u 2000 -g 2000', credentials: {proxy: {uid: 2000, gid: 2000}}},
		changed: {},
	},
	{
		title: '-u 2000 with a proxy of that user, the group left as it is',
		variation: {rules: 'release:1.30 -u 2000', credentials: {proxy: {uid: 2000, gid: 2000}}},
		changed: {},
	},
	{
		title: '-p 16001 -z 16006: the listeners and the rules move together',
		variation: {rules: 'release:1.30 -p 16001 -z 16006'},
		changed: Object.fromEntries((['1', '2', '4'] as const).map(id => [id, paths[id].replaceAll('15001', '16001').replaceAll('15006', '16006')])),
	},
];

for (const {title, variation, changed, agrees = {}} of variants) {
	test.serial(title, async t => {
		const report = await run({...variation, families: addressFamilies, types: typeIds});
		t.deepEqual(outcomesOf(report), passesOf(typeIds, addressFamilies));
		for (const family of addressFamilies) {
			for (const id of typeIds) {
				t.is(pathOf(report, id, family), changed[id] ?? paths[id], `type ${id}, ${family}`);
			}

			for (const [id, wanted] of Object.entries(agrees) as ReadonlyArray<[IstioTypeId, boolean]>) {
				t.is(resultOf(report, id, family).published?.agrees, wanted);
			}
		}
	});
}

test.serial('a proxy whose user is not in the rules: within the proxy, rule 3 exempts it, and the hint names the users', async t => {
	const report = await run({credentials: {proxy: {uid: 2000, gid: 2000}, agent: {uid: 1337, gid: 1337}}, types: ['5', '6'], families: addressFamilies});
	t.deepEqual(outcomesOf(report), passesOf(['5', '6'], addressFamilies));
	for (const family of addressFamilies) {
		t.is(pathOf(report, '5', family), 'proxy > OUTPUT#1 > ISTIO_OUTPUT#3 > POSTROUTING > proxy:15090 > OUTPUT#1 > ISTIO_OUTPUT#3 > POSTROUTING > proxy:15000');
		t.deepEqual(sayings(resultOf(report, '5', family)), []);
	}

	t.regex(report.hints.join('\n'), /1337.*2000/);
});
