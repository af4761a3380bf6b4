/**
Observed paths for tests. The brand of an observed path is put on by a cast, here and nowhere else in the tests of judge/ and report/. Paths of whole rule sets are made by the simulator (`packet-walk.ts`), by a reading of rules of its own (`plain-match.ts`), and the model of the stub; what netfilter does is shown by the tests in test/kernel.
*/

import {findTable, tableFamily} from '../../src/netfilter/lookup.js';
import type {Leg, Path} from '../../src/netfilter/path.js';
import type {RuleSet} from '../../src/netfilter/types.js';
import {StubModel, type NextLeg} from '../../src/model/stub.js';
import type {ExactPacket} from '../../src/packet-classes/class-of-packet.js';
import {istio} from '../../src/istio/mesh.js';
import {livesInPod} from '../../src/mesh/actor-set.js';
import {defaultTopology} from '../../src/mesh/topology.js';
import type {
	ActorCredentials, ActorName, Intent, TrafficCase,
} from '../../src/mesh/traffic.js';
import type {Gap} from '../../src/trace/gap.js';
import type {Observation, ObservedPath} from '../../src/trace/observation.js';
import {loopStops} from '../../src/trace/sockets.js';
import {packetOfNext, walkPacket} from './packet-walk.js';
import {readPlainly} from './plain-match.js';

/** Everybody's credentials in a default run; the agent runs as the proxy's user. */
export const defaultActors: ActorCredentials = {
	app: {uid: 1000, gid: 1000},
	proxy: {uid: 1337, gid: 1337},
	agent: {uid: 1337, gid: 1337},
	remote: {uid: 0, gid: 0},
	istiod: {uid: 0, gid: 0},
	prometheus: {uid: 0, gid: 0},
};

/** An observation of a path that a test made. */
export function observed(legs: readonly Leg[], {loop = false, gaps = []}: {readonly loop?: boolean; readonly gaps?: readonly Gap[]} = {}): Observation {
	const path: Path = {legs};
	return {path: path as ObservedPath, loop, gaps};
}

/** What a walk needs. */
export type Sketch = {
	readonly ruleSet: RuleSet;
	readonly intent: Intent;
	readonly actors?: ActorCredentials;
	/** What the rules make of a trace without verdicts, as iptables-legacy gives it. */
	readonly isLegacy?: boolean;
};

/** The observation of one case. */
export function observe({ruleSet, intent, actors = defaultActors, isLegacy = false}: Sketch, {probe: {actor, family, destination}}: TrafficCase): Observation {
	const model = new StubModel(istio, intent, actors);
	const legs: Leg[] = [];
	let next: NextLeg | undefined = model.requestOf({
		from: actor as ActorName, asked: '', to: destination, family, protocol: 'tcp',
	}, '1');
	while (next !== undefined && legs.length <= loopStops) {
		const leg: NextLeg = next;
		const {actor: sender = leg.from, to, uid, gid, protocol} = leg;
		const packet = packetOfSender(leg, {sender: sender as ActorName, family, sourcePort: 40_001 + legs.length});
		const walked = walkPacket({ruleSet, localMarks: []}, packet, family, readPlainly);
		if (walked === 'not-known') {
			throw new Error(`what becomes of ${JSON.stringify(packet)} is not known`);
		}

		const from = {address: packet.source, port: packet.sourcePort};
		const traversals = findTable(ruleSet, {family: tableFamily(family), table: 'nat'}) === undefined ? [] : walked.traversals;
		const shared = {
			actor: sender, family, protocol, from, to,
		};
		const {end, next: carriedOn} = walked.isDropped
			? {end: {kind: 'dropped', by: traversals.at(-1)?.hits.at(-1)} as const, next: undefined}
			: model.receive({
				...shared, deliveredTo: walked.deliveredTo, arrivedBy: walked.arrivedBy, end: {kind: 'refused'},
			});
		legs.push({
			...shared,
			socket: packet.origin === 'pod' ? {uid, gid} : undefined,
			traversals: traversals.map(traversal => ({
				...traversal, hits: traversal.hits.map(hit => ({...hit, ...(isLegacy ? {handle: undefined, verdict: undefined} : {handle: 100 + (hit.number ?? 0)})})),
			})),
			end,
		});
		next = carriedOn;
	}

	return observed(legs, {loop: next !== undefined});
}

function packetOfSender(leg: NextLeg, {sender, family, sourcePort}: {readonly sender: ActorName; readonly family: TrafficCase['probe']['family']; readonly sourcePort: number}): ExactPacket {
	const packet = packetOfNext(leg, {family, sourcePort});
	return livesInPod[sender]
		? packet
		: {
			...packet, origin: 'remote', source: leg.source ?? defaultTopology.places.remote[family], uid: undefined, gid: undefined,
		};
}
