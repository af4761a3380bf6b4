/**
Random pairs of rule sets: checks the result of a comparison against packets that are drawn without regard to classes and sent through both.
*/

import fc from 'fast-check';
import {rulesOf} from '../../src/netfilter/lookup.js';
import type {Backend} from '../../src/netfilter/types.js';
import {releaseLines} from '../../src/istio/releases.js';
import {judgeComparison, type ComparisonOutcome} from '../../src/comparison/comparison.js';
import {placeOfClass, type ExactPacket} from '../../src/packet-classes/class-of-packet.js';
import {arrivalsOf, isSame, type ProbeResult} from '../../src/comparison/moves.js';
import {addressFamilies, defaultTopology} from '../../src/mesh/topology.js';
import {probeClasses, questionOf, type ProbedClasses} from '../../testbed/analysis/probe-classes.js';
import {usualCredentials} from '../../testbed/inputs/credentials.js';
import {TestbedError} from '../../testbed/errors.js';
import type {RuleInput} from '../../testbed/inputs/types.js';
import {ProberSandbox} from '../../testbed/probe/prober-sandbox.js';
import type {ProbeSpec} from '../../src/scenario/probe-spec.js';
import {loadRuleInput} from '../../testbed/inputs/rules.js';
import {
	anyWords, inRelease, printSource, type ArbitraryWords,
} from '../helpers/istio-options.js';
import {anyPacket, boundAlike, packetOf} from '../helpers/random-packets.js';

/** Two sources, and a back end for each. */
export type Pair = {readonly from: string; readonly to: string; readonly backends: readonly [Backend, Backend]};

const spellings: ReadonlyArray<readonly [usual: string, other: string]> = [['--proxy-uid', '-u'], ['--proxy-gid', '-g'], ['--envoy-port', '-p'], ['--istio-service-cidr', '-i'], ['--istio-service-exclude-cidr', '-x'], ['--istio-local-exclude-ports', '-d'], ['--istio-local-outbound-ports-exclude', '-o']];

type Relation = typeof relations[number];
/** How the two of a pair are related. */
const relations = ['release', 'backend', 'words', 'one', 'any'] as const;
const iptables = ['iptables-nft', 'iptables-nft'] as const;

const pairs: Readonly<Record<Relation, (one: ArbitraryWords, other: ArbitraryWords, line: string) => Pair>> = {
	release: (one, _, line) => ({from: printSource(one), to: printSource(inRelease(one, line)), backends: iptables}),
	backend: one => ({from: printSource(one), to: printSource(one), backends: ['iptables-nft', 'iptables-legacy']}),
	words(one) {
		const words = one.words.map(([name, ...rest]) => [spellings.find(([usual]) => usual === name)?.[1] ?? name!, ...rest]).toReversed();
		return {from: printSource(one), to: printSource({...one, words}), backends: iptables};
	},
	one(one, other) {
		const more = inRelease(other, one.line).words.filter(([name]) => one.words.every(([known]) => known !== name)).slice(0, 1);
		return {from: printSource(one), to: printSource({...one, words: [...one.words, ...more]}), backends: iptables};
	},
	any: (one, other) => ({from: printSource(one), to: printSource(other), backends: iptables}),
};

/** Arbitrary pairs: the same options in two releases, on two back ends, with other spellings, with an additional option, or any two. */
export const anyPair: fc.Arbitrary<Pair> = fc.tuple(anyWords, anyWords, fc.constantFrom(...releaseLines.map(({name}) => name)), fc.constantFrom(...relations))
	.map(([one, other, line, relation]) => pairs[relation](one, other, line));

/** The result of a pair. `broken`: violations of the law, in sentences. */
export type PairResult = {
	readonly outcome: ComparisonOutcome;
	readonly classes: number;
	readonly movedClasses: number;
	readonly packets: number;
	readonly different: number;
	readonly doubtful: number;
	readonly broken: readonly string[];
	/** The same of packets to a port where the proxy or the agent listens: a known limit. No rule tells that port from others, so the classes do not; but connections that arrive there directly are forwarded, and those redirected to their own port look direct. */
	readonly atListeners: readonly string[];
	/** The same of packets whose next leg, which the proxy opens, meets other rules than that of the representative: a known limit, too. A class is one by the rules of its first leg. Rules for next legs divide the proxy's own packets, but under TPROXY these have the client's address, and are in no class. */
	readonly carriedOn: readonly string[];
};

const sandboxOptions = {families: addressFamilies, timeoutMs: 5000, traceBufferBytes: 64 * 1024 * 1024};
/** Packets of each class that moved. */
const packetsOfMoved = 3;
/** One in so many packets is sent from a bound socket as well. */
const boundEach = 10;
/** A round of more probes would need more ports than there are. */
const movedMax = 150;

/** Reads both sides; undefined where a release refuses what it was given. */
export function loadPair({from, to, backends}: Pair): readonly [RuleInput, RuleInput] | undefined {
	try {
		return [loadRuleInput({source: from, families: addressFamilies, backend: backends[0]}), loadRuleInput({source: to, families: addressFamilies, backend: backends[1]})];
	} catch (error) {
		if (error instanceof TestbedError && (error.code === 'INPUT' || error.code === 'USAGE')) {
			return undefined;
		}

		throw error;
	}
}

/**
Compares a pair by its classes, then sends random packets through both sides, and packets of each class that moved. `sent`: other rules for these packets, with which the law is to break.

@throws {TestbedError} RULES_REJECTED, and everything that a sandbox throws.
*/
export async function tryPair(inputs: readonly [RuleInput, RuleInput], {packets: packetsEach, seed, sent = inputs}: {
	readonly packets: number; readonly seed: number; readonly sent?: readonly [RuleInput, RuleInput];
}): Promise<PairResult> {
	const [from] = inputs;
	const credentials = usualCredentials({}, from.intent, from);
	const probed = await probeClasses({
		...sandboxOptions, inputs, credentials, hasBound: true, signal: new AbortController().signal, onProgress: () => undefined,
	});
	const {outcome, gaps} = judgeComparison(probed.map(({sides: [one, other], ...rest}) => ({...rest, sides: {from: one!, to: other!}})), {arePathsCompared: false});
	const hasInvalid = inputs.some(({ruleSet}) => [...rulesOf(ruleSet)].some(({rule}) => rule.matches.some(({kind}) => kind === 'conntrack-state')));
	await using one = await ProberSandbox.create({...sandboxOptions, backend: sent[0].backend});
	await using other = await ProberSandbox.create({...sandboxOptions, backend: sent[1].backend});
	await Promise.all([one.install(sent[0], credentials, {hasInvalid}), other.install(sent[1], credentials, {hasInvalid})]);
	const listeners = listenerPortsOf(inputs);
	const broken: string[] = [];
	const atListeners: string[] = [];
	const carriedOn: string[] = [];
	let [different, doubtful, packets, movedClasses] = [0, 0, 0, 0];
	for (const family of probed) {
		const {classSet} = family;
		const name = classSet.fields.family;
		const moved = movedIn(family, probeResult => arrivalsOf(probeResult));
		const movedFirst = movedIn(family, probeResult => arrivalsOf(probeResult).slice(0, 1));
		movedClasses += moved.size;
		const drawn = fc.sample(anyPacket(inputs.map(({ruleSet}) => ruleSet), name), {numRuns: packetsEach / 2, seed});
		const random = [...drawn, ...boundAlike(drawn.slice(0, packetsEach / boundEach), name)];
		const chosen = [...moved].slice(0, movedMax).flatMap(index => fc.sample(packetOf(classSet, classSet.classes[index]!), {numRuns: packetsOfMoved, seed}));
		const all = [...random, ...chosen].filter(packet => canBind(packet, listeners));
		const questions = all.map(packet => questionOfPacket(packet, name));
		const [ours, theirs] = await Promise.all([one.send(questions, {follow: true}), other.send(questions, {follow: true})]); // eslint-disable-line no-await-in-loop -- Two stages.
		packets += questions.length;
		const suspects: Suspect[] = [];
		for (const [place, packet] of all.entries()) {
			const probeResults = [ours[place]!, theirs[place]!] as const;
			const seen = judge({
				family, packet, probeResults, moved, movedFirst,
			});
			doubtful += Number(seen === 'doubt');
			different += Number(isDifferent(probeResults));
			if (seen !== 'doubt' && seen !== undefined) {
				suspects.push({packet, question: questions[place]!});
			}
		}

		// Packets sent together can be each other's answers if their ports match. A violation only counts if the packet is sent alone.
		for (const {packet, question} of suspects.slice(0, suspectsMax)) {
			const [[our], [their]] = await Promise.all([one.send([question], {follow: true}), other.send([question], {follow: true})]); // eslint-disable-line no-await-in-loop -- Alone.
			const seen = judge({
				family, packet, probeResults: [our!, their!], moved, movedFirst,
			});
			if (seen === 'doubt' || seen === undefined) {
				doubtful++;
				different -= Number(outcome === 'equal');
			} else {
				const rest = isCarriedOnElsewhere(family, packet, [our!, their!]) ? carriedOn : broken;
				(isAtListener(listeners, family, packet) ? atListeners : rest).push(seen);
			}
		}
	}

	if (outcome === 'equal' && (different > 0 || gaps.length > 0)) {
		broken.push(`equal, with ${different} packets that moved and ${gaps.length} gaps`);
	}

	return {
		outcome, classes: probed.reduce((sum, {classSet}) => sum + classSet.classes.length, 0), movedClasses, packets, different, doubtful, broken, atListeners, carriedOn,
	};
}

/** The ports on which the proxy and the agent listen. */
function listenerPortsOf(inputs: readonly RuleInput[]): ReadonlySet<number> {
	return new Set(inputs.flatMap(({mesh, intent}) => mesh.traffic.actors({
		topology: defaultTopology, intent, names: ['proxy', 'agent'], credentials: usualCredentials({}, intent),
	}).actors.flatMap(({listeners}) => listeners.map(({port}) => port))));
}

/** Whether a socket of the pod can have the packet's source port: not if it is that of a listener (EADDRINUSE). `--envoy-port 1` makes such packets frequent, because ports in rules are drawn often. */
function canBind({origin, sourcePort}: ExactPacket, listeners: ReadonlySet<number>): boolean {
	return origin !== 'pod' || !listeners.has(sourcePort);
}

/** Whether a packet, or the representative of its class, goes to a port where the proxy or the agent listens: it is forwarded from there, though no rule of the first leg distinguishes that port. */
function isAtListener(ports: ReadonlySet<number>, {classSet, representatives}: ProbedClasses, packet: ExactPacket): boolean {
	const index = placeOfClass(classSet, packet);
	return [packet, ...representatives.filter(representative => representative.index === index)].some(({destination}) => ports.has(destination.port));
}

/** Whether a packet arrived first where a representative of its class did, on both sides, and the proxy's next legs met other rules on one. */
function isCarriedOnElsewhere({classSet, representatives, sides}: ProbedClasses, packet: ExactPacket, probeResults: readonly [ProbeResult, ProbeResult]): boolean {
	const index = placeOfClass(classSet, packet);
	const nextRules = ({legs}: ProbeResult): string => legs.slice(1).map(leg => leg.traversals.flatMap(({hits}) => hits.map(({table, chain, number}) => `${table} ${chain} ${number}`)).join(', ')).join(' > ');
	const own = [...representatives.entries()].filter(([, representative]) => representative.index === index);
	const pairsWith = (place: number) => probeResults.map((probeResult, side) => [probeResult, sides[side]!.probeResults[place]!] as const);
	return own.some(([place]) => pairsWith(place).every(([ours, theirs]) => arrivalsOf(ours)[0] === arrivalsOf(theirs)[0])
		&& pairsWith(place).some(([ours, theirs]) => nextRules(ours) !== nextRules(theirs)));
}

type Suspect = {readonly packet: ExactPacket; readonly question: ProbeSpec};
/** More would add nothing. */
const suspectsMax = 20;

/** Whether the law holds for a packet: undefined if so, `doubt`, or the violation. */
function judge({family, packet, probeResults, moved, movedFirst}: {
	readonly family: ProbedClasses; readonly packet: ExactPacket; readonly probeResults: readonly [ProbeResult, ProbeResult];
	readonly moved: ReadonlySet<number>; readonly movedFirst: ReadonlySet<number>;
}): string | undefined {
	if (probeResults.some(({gaps}) => gaps.length > 0)) {
		return 'doubt';
	}

	const [was, is] = [arrivalsOf(probeResults[0]), arrivalsOf(probeResults[1])];
	const index = placeOfClass(family.classSet, packet);
	if (index === undefined) {
		// Classes of bound sockets are left out if both sides have the same rules for them.
		return packet.bindDevice !== undefined && isSame(was, is) ? undefined : `no class holds ${JSON.stringify(packet)}: ${was.join(' > ')} → ${is.join(' > ')}`;
	}

	if (isInDoubt(family, index)) {
		return 'doubt';
	}

	const text = `${was.join(' > ')} → ${is.join(' > ')}: ${JSON.stringify(packet)}; but ${describeClass(family, index)}`;
	if ((was[0] !== is[0]) !== movedFirst.has(index)) {
		return text;
	}

	return isSame(was, is) === moved.has(index) ? text : undefined;
}

function isDifferent([one, other]: readonly [ProbeResult, ProbeResult]): boolean {
	return one.gaps.length === 0 && other.gaps.length === 0 && !isSame(arrivalsOf(one), arrivalsOf(other));
}

/** The classes with a representative that arrived elsewhere, from the probe results alone. */
function movedIn({representatives, sides: [from, to]}: ProbedClasses, arrivals: (probeResult: ProbeResult) => readonly string[]): ReadonlySet<number> {
	return new Set(representatives.flatMap(({index}, place) => {
		const [one, other] = [from!.probeResults[place]!, to!.probeResults[place]!];
		return one.gaps.length === 0 && other.gaps.length === 0 && !isSame(arrivals(one), arrivals(other)) ? [index] : [];
	}));
}

/** What the representatives of a class are, and where they arrived. */
function describeClass({representatives, sides}: ProbedClasses, index: number): string {
	return representatives.flatMap((representative, place) => representative.index === index ? [`${JSON.stringify(representative)}: ${sides.map(side => arrivalsOf(side!.probeResults[place]!).join(' > ')).join(' → ')}`] : []).join('; ');
}

/** A class that the comparison itself reports as doubtful proves nothing. */
function isInDoubt({representatives, sides}: ProbedClasses, index: number): boolean {
	return representatives.some((representative, place) => representative.index === index && sides.some(side => side!.probeResults[place]!.gaps.length > 0));
}

function questionOfPacket(packet: ExactPacket, family: ProbeSpec['family']): ProbeSpec {
	return questionOf({
		...packet, index: 0, kind: 'inner', family,
	});
}
