import test from 'ava';
import type {PublishedTypeId} from '../../../src/mesh/published.js';
import {publishedTypes} from '../../../src/istio/published.js';
import type {Leg} from '../../../src/netfilter/path.js';
import {observed} from '../../helpers/observed.js';
import {
	deleteRule, insertRule, moveRule, sketchReport, typeOf, type RunSketch,
} from '../../helpers/reports.js';

const nat = 'The nat table sees only the first packet of a connection:';

const table: ReadonlyArray<readonly [string, PublishedTypeId, RunSketch, string | undefined]> = [
	['by default', '1', {}, undefined],
	['by default', '2', {}, undefined],
	['by default', '3', {}, `${nat} proxy:15090 answers within the connection that came in, so OUTPUT and ISTIO_OUTPUT#3 are never visited.`],
	['by default', '4', {}, undefined],
	['by default', '5', {}, 'As UID 1337, the proxy is let go by ISTIO_OUTPUT#4 before ISTIO_OUTPUT#8 is reached.'],
	['by default', '6', {}, 'The agent runs as the proxy\'s UID 1337, so ISTIO_OUTPUT#4 lets its packet go before ISTIO_OUTPUT#9 is reached.'],
	['a proxy of UID 0', '5', {actors: {proxy: {uid: 0, gid: 1337}}}, 'On lo, ISTIO_OUTPUT#3 lets every UID but 1337 go, and so the proxy\'s UID 0, before ISTIO_OUTPUT#8 is reached.'],
	['an agent of UID 0 and GID 0', '6', {actors: {agent: {uid: 0, gid: 0}}}, undefined],
	['an agent of UID 0 and GID 1337', '6', {actors: {agent: {uid: 0, gid: 1337}}}, 'The agent runs as UID 0 with the proxy\'s GID 1337, so ISTIO_OUTPUT#7 lets its packet go before ISTIO_OUTPUT#9 is reached.'],
	['an app of the proxy\'s UID', '2', {actors: {app: {uid: 1337, gid: 5}}}, 'The app runs as the proxy\'s UID 1337, so ISTIO_OUTPUT#4 lets its packet go before ISTIO_OUTPUT#9 is reached.'],
	['other ports, for which the listeners mean the same', '4', {input: 'release:1.30 -p 15003 -z 15004'}, undefined],
	['rules that are numbered otherwise', '4', {input: 'release:1.30 -o 25'}, undefined],
	['rules that are numbered otherwise', '6', {input: 'release:1.30 -o 25 -u 5', actors: {agent: {uid: 5, gid: 5}}}, 'The agent runs as the proxy\'s UID 5, so ISTIO_OUTPUT#6 lets its packet go before ISTIO_OUTPUT#11 (the article\'s rule 9) is reached.'],
	['a port that is left out', '1', {input: 'release:1.30 -d 8080'}, 'The article goes to ISTIO_IN_REDIRECT where the observed path goes to app:8080.'],
	['a port that is let go first', '2', {input: 'release:1.30 -o 8080'}, 'ISTIO_OUTPUT#1 decides on the packet of the app (UID 1000, GID 1000) before ISTIO_OUTPUT#11 (the article\'s rule 9) is reached.'],
	['15090 captured', '3', {input: 'release:1.30 -d 80'}, 'The article goes to INPUT where the observed path goes to ISTIO_IN_REDIRECT#1.'],
	['a rule that is missing', '2', {mutate: deleteRule('ISTIO_OUTPUT', 9)}, 'No rule of this set does what the article\'s rule 9 does; the observed path goes to remote:8080.'],
	['a rule that is missing', '4', {mutate: deleteRule('ISTIO_OUTPUT', 2)}, 'No rule of this set does what the article\'s rule 2 does; the observed path goes to ISTIO_OUTPUT#3.'],
	['a loop', '1', {mutate: deleteRule('ISTIO_OUTPUT', 1)}, 'The flow loops and never reaches the end of the published route.'],
	['a foreign rule on the way', '2', {mutate: insertRule('OUTPUT', 1, '-p tcp')}, 'The article goes to ISTIO_OUTPUT#9 where the observed path goes to OUTPUT#2.'],
	['a rule in another order', '4', {mutate: moveRule('ISTIO_OUTPUT', {from: 4, to: 2})}, 'As UID 1337, the proxy is let go by ISTIO_OUTPUT#2 before ISTIO_OUTPUT#3 (the article\'s rule 2) is reached.'],
];

for (const [title, id, sketch, reason] of table) {
	for (const isLegacy of [false, true]) {
		test(`type ${id}, ${title}${isLegacy ? ', iptables-legacy' : ''}`, t => {
			t.deepEqual(typeOf(sketchReport({...sketch, isLegacy}), id).published, {path: publishedTypes[id].notation, agrees: reason === undefined, reason: reason ?? null});
		});
	}
}

test('both families are compared alike', t => {
	const {types} = sketchReport({families: ['ipv4', 'ipv6']});
	t.deepEqual(types.map(({published}) => published?.agrees), [true, true, false, true, false, false, true, true, false, true, false, false]);
});

test('nothing is published about 4b', t => {
	t.is(typeOf(sketchReport({ids: ['4b']}), '4b').published, null);
});

test('with a gap no claim is compared', t => {
	const gap = {kind: 'lost-events', message: 'Two events were lost.'} as const;
	const {published} = typeOf(sketchReport({tamper: ({path, loop}) => observed(path.legs, {loop, gaps: [gap]})}), '1');
	t.deepEqual(published, {path: publishedTypes[1].notation, agrees: null, reason: 'Not compared, because the evidence has a gap: Two events were lost.'});
	t.is(typeOf(sketchReport({tamper: () => observed([])}), '1').published?.agrees, null);
});

for (const [title, id, change, reason] of [
	['a path that ends early', '2', legs => legs.slice(0, 1), 'The article goes to OUTPUT where the observed path has ended.'],
	['a path that goes on', '2', legs => [legs[0]!, legs[0]!, ...legs.slice(1)], 'The article goes to ISTIO_OUTPUT#4 where the observed path goes to ISTIO_OUTPUT#9.'],
	['another first actor', '2', legs => legs.map(leg => ({...leg, actor: 'agent'})), 'The article goes to app where the observed path goes to agent.'],
	['a connection that was refused', '2', legs => legs.map((leg, index): Leg => index === 1 ? {...leg, end: {kind: 'refused'}} : leg), 'The article goes to remote where the observed path goes to refused.'],
] as ReadonlyArray<readonly [string, PublishedTypeId, (legs: readonly Leg[]) => readonly Leg[], string]>) {
	test(`a claim that holds in general is worded differently: ${title}`, t => {
		t.is(typeOf(sketchReport({ids: [id], tamper: ({path}) => observed(change(path.legs))}), id).published?.reason, reason);
	});
}

test('a rule of another table on the path means that the claim does not agree', t => {
	const {published} = typeOf(sketchReport({
		ids: ['2'],
		tamper: ({path}) => observed(path.legs.map(leg => ({
			...leg,
			traversals: leg.traversals.flatMap(traversal => [{...traversal, table: 'mangle', hits: traversal.hits.slice(0, 1).map(hit => ({...hit, table: 'mangle', chain: 'FOREIGN', text: '-j MARK'}))}, traversal]),
		}))),
	}), '2');
	t.is(published?.reason, 'The article goes to OUTPUT where the observed path goes to mangle:FOREIGN#1.');
	const bare = typeOf(sketchReport({
		ids: ['2'],
		tamper: ({path}) => observed(path.legs.map(leg => ({...leg, traversals: leg.traversals.flatMap(traversal => [{...traversal, table: 'mangle', hits: []}, traversal])}))),
	}), '2');
	t.true(bare.published?.agrees);
});
