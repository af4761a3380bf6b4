/**
Sends packet classes through the kernel: one rule set after another in reused sandboxes, with a probe for each representative.
*/

import type {AddressFamily, Backend} from '../../src/netfilter/types.js';
import {rulesOfMesh} from '../../src/mesh/mesh.js';
import {familyNames} from '../../src/netfilter/address.js';
import {rulesOf} from '../../src/netfilter/lookup.js';
import {someMayCount} from '../../src/netfilter/repeated-packets.js';
import {classifyInSteps, defaultClassLimit, type ClassSet} from '../../src/packet-classes/classify.js';
import {ClassLimitError} from '../../src/packet-classes/limit.js';
import type {ProbeResult, Side} from '../../src/comparison/moves.js';
import {representativesInSteps, type Representative} from '../../src/packet-classes/representatives.js';
import type {Program} from '../../src/packet-classes/symbolic-walk.js';
import type {ProbeSpec} from '../../src/scenario/probe-spec.js';
import {defaultTopology} from '../../src/mesh/topology.js';
import type {ActorCredentials} from '../../src/mesh/traffic.js';
import {TestbedError} from '../errors.js';
import type {OnProgress} from '../system/on-progress.js';
import {existingIds} from '../rootless/mapped-ids.js';
import {inTurns} from '../system/turns.js';
import {busyJobs, inOrder, withWorkers} from '../system/worker-pool.js';
import type {RuleInput} from '../inputs/types.js';
import {ProberSandbox} from '../probe/prober-sandbox.js';

/** Options for probing classes. */
export type ClassRunOptions = {
	readonly inputs: readonly RuleInput[];
	readonly families: readonly AddressFamily[];
	/** The credentials of all actors, the same for all inputs. */
	readonly credentials: ActorCredentials;
	readonly timeoutMs: number;
	readonly traceBufferBytes: number;
	readonly signal: AbortSignal;
	readonly onProgress: OnProgress;
	/** The maximum number of classes of one family. */
	readonly limit?: number | undefined;
	/** The places of the inputs through which probes are sent; all by default. The classes are those of all inputs in any case, and an input that is left out has no side. */
	readonly needed?: ReadonlySet<number> | undefined;
	/** Whether sockets that are bound to the network device are sent from as well, as far as the rule sets treat them differently. */
	readonly hasBound?: boolean | undefined;
	/** From how many rules on the probes of a single rule set are shared out to several sandboxes; for tests. */
	readonly manyRules?: number | undefined;
	/** Rule sets that are not installed, but whose classes are distinguished as well. In a class's predictions, theirs come first. */
	readonly alongside?: (family: AddressFamily) => readonly Program[];
};

/** What the probes showed in one family, with a side for each input that was needed. */
export type ProbedClasses = {readonly classSet: ClassSet; readonly representatives: readonly Representative[]; readonly sides: ReadonlyArray<Side | undefined>};

/** A rule input as a program for the symbolic walk. */
export function programOf({ruleSet, routing: {markRules}}: RuleInput, family: AddressFamily): Program {
	return {ruleSet, localMarks: markRules.filter(rule => rule.family === family).map(({mark, mask = 0xFF_FF_FF_FF}) => ({mark, mask}))};
}

/**
Divides the packets of all inputs into common classes and sends their representatives through each input's rules. Sandboxes are built and the first rules installed while the packets are divided.

@throws {TestbedError} RULES_REJECTED, and everything that a batch of probes throws.
*/
export async function probeClasses(options: ClassRunOptions): Promise<readonly ProbedClasses[]> {
	const planning = planAll(options);
	const [sending, planned] = await Promise.allSettled([sendAll(options, planning), planning]);
	// A limit is told first: then nothing was sent, whatever became of the sandboxes.
	for (const outcome of [planned, sending]) {
		if (outcome.status === 'rejected') {
			throw outcome.reason as Error;
		}
	}

	const {sides} = (sending as PromiseFulfilledResult<SentThrough>).value;
	let begin = 0;
	return (planned as PromiseFulfilledResult<Plan>).value.classes.map(({classSet, representatives}) => {
		const end = begin + representatives.length;
		const own = new Map([...new Set(sides)].map(side => [side, side === undefined ? undefined : {ruleSet: side.ruleSet, probeResults: side.probeResults.slice(begin, end)}] as const));
		begin = end;
		return {classSet, representatives, sides: sides.map(side => own.get(side))};
	});
}

/** The classes of each family, and the probes of all. */
type Plan = {readonly classes: readonly PlannedClasses[]; readonly questions: readonly ProbeSpec[]};

async function planAll(options: ClassRunOptions): Promise<Plan> {
	const {inputs, families, alongside = () => []} = options;
	const classes: PlannedClasses[] = [];
	for (const family of families) {
		classes.push(await planClasses([...alongside(family), ...inputs.map(input => programOf(input, family))], family, options)); // eslint-disable-line no-await-in-loop -- All on one thread.
	}

	return {classes, questions: classes.flatMap(({representatives}) => representatives.map(representative => questionOf(representative)))};
}

/** The classes of one family, and a representative of each. */
export type PlannedClasses = {readonly classSet: ClassSet; readonly representatives: readonly Representative[]};

/**
Divides the packets of one family into classes and finds their representatives. Yields to the event loop in between.

@throws {TestbedError} LIMIT if there are more classes than the limit. The signal's reason.
*/
export async function planClasses(programs: readonly Program[], family: AddressFamily, {signal, onProgress, hasBound, limit = defaultClassLimit}: Pick<ClassRunOptions, 'signal' | 'onProgress' | 'hasBound' | 'limit'>): Promise<PlannedClasses> {
	const step = `dividing packets of ${familyNames[family]} into classes`;
	onProgress(step);
	try {
		const classSet = await inTurns(classifyInSteps(programs, {
			family, topology: defaultTopology, limit, hasBound, onClasses(classes) {
				onProgress(step, {done: classes, unit: 'so far'});
			},
		}), signal);
		onProgress('choosing a packet of each class');
		return {classSet, representatives: await inTurns(representativesInSteps(classSet, defaultTopology, existingIds()), signal)};
	} catch (error) {
		throw error instanceof ClassLimitError
			? new TestbedError('LIMIT', {message: `The rules divide the packets of ${familyNames[family]} into more than ${limit} classes.`, state: 'Nothing was sent.', hint: `Allow more with --limit ${limit * 10} (each class costs two probes per side), or reduce them: fewer rules, or one --family.`, cause: error})
			: error;
	}
}

type SentThrough = {readonly sides: ProbedClasses['sides']};

/** Sends the same probes through all inputs, once through those with the same rules, in as many sandboxes as there are jobs. Each sandbox is reused for the next input of its back end. */
async function sendAll({
	inputs, needed, families, credentials, timeoutMs, traceBufferBytes, signal, onProgress, manyRules = usuallyMany,
}: ClassRunOptions, planning: Promise<Plan>): Promise<SentThrough> {
	const wanted = [...inputs.entries()].filter(([place]) => needed?.has(place) ?? true);
	const firstOf = firstsOf(wanted);
	const asked = wanted.filter(([place]) => firstOf.get(place) === place);
	const pieces = piecesOf(asked, manyRules);
	const sent = pieces.map(() => 0);
	const tellSent = (total: number): void => {
		onProgress(`sending ${total} probes through ${asked.length === 1 ? 'the rules' : `${asked.length} rule sets`}`, {done: sent.reduce((sum, count) => sum + count, 0), total: total * asked.length});
	};

	const found = new Map<number, {readonly ruleSet: Side['ruleSet']; readonly probeResults: ProbeResult[]}>();

	const invalidAsked = isInvalidAsked(planning);
	// If no job gets as far as to await it, its error is still that of the planning.
	const handled = Promise.allSettled([invalidAsked]);
	await withWorkers(inOrder(pieces), Math.min(jobs, pieces.length), async take => {
		let sandbox: ProberSandbox | undefined;
		let backend: Backend | undefined;
		try {
			for (let next = take(); next !== undefined; next = take()) {
				signal.throwIfAborted();
				const {place, input, number, part, parts} = next;
				if (sandbox === undefined || backend !== input.backend) {
					await sandbox?.[Symbol.asyncDispose](); // eslint-disable-line no-await-in-loop -- A job does one thing after the other.
					backend = input.backend;
					sandbox = await ProberSandbox.create({backend, families, timeoutMs, traceBufferBytes}); // eslint-disable-line no-await-in-loop -- As above.
				}

				const ruleSet = await sandbox.install(input, credentials, {hasInvalid: invalidAsked}); // eslint-disable-line no-await-in-loop -- As above.
				const {questions} = await planning; // eslint-disable-line no-await-in-loop -- As above.
				tellSent(questions.length);
				const onSent = (count: number): void => {
					sent[number] = count;
					tellSent(questions.length);
				};

				const own = parts === 1 ? questions : questions.filter((_, index) => index % parts === part);
				const side = found.get(place) ?? {ruleSet: rulesOfMesh(ruleSet, input.mesh), probeResults: []};
				found.set(place, side);
				const probeResults = await sandbox.send(own, {follow: 'once-around', signal, onSent, numberOf: index => (index * parts) + part + 1}); // eslint-disable-line no-await-in-loop -- As above.
				for (const [index, probeResult] of probeResults.entries()) {
					side.probeResults[(index * parts) + part] = probeResult;
				}
			}
		} finally {
			await sandbox?.[Symbol.asyncDispose]();
		}
	});
	await handled;
	return {sides: inputs.map((_, place) => found.get(firstOf.get(place) ?? -1))};
}

/** The part of the probes that one sandbox sends through one rule set. */
export type Piece = {readonly place: number; readonly input: RuleInput; readonly number: number; readonly part: number; readonly parts: number};

/** One piece for each rule set; several if there is only one, it is so large that the kernel takes longer with its packets than a second sandbox takes to build, and it does not count packets. Every second probe is another's, because those that come late in a chain take longest. */
export function piecesOf(asked: ReadonlyArray<readonly [place: number, input: RuleInput]>, manyRules: number): readonly Piece[] {
	const [first] = asked;
	const parts = first !== undefined && asked.length === 1 && [...rulesOf(first[1].ruleSet)].length >= manyRules && !someMayCount(first[1].ruleSet.tables) ? busyJobs : 1;
	return asked.flatMap(([place, input]) => Array.from({length: parts}, (_, part) => ({place, input, part, parts}))).map((piece, number) => ({...piece, number}));
}

/** By the place of each input, that of the first one with the same rules in the same pod: the kernel would be asked the same again. Most releases of Istio have the rules of the one before. */
function firstsOf(inputs: ReadonlyArray<readonly [place: number, input: RuleInput]>): ReadonlyMap<number, number> {
	const firsts = new Map<string, number>();
	const found = new Map<number, number>();
	for (const [place, {backend, mesh, ruleSet, routing, intent}] of inputs) {
		const key = JSON.stringify([backend, mesh.name, ruleSet, routing, intent]);
		const first = firsts.get(key) ?? place;
		firsts.set(key, first);
		found.set(place, first);
	}

	return found;
}

async function isInvalidAsked(planning: Promise<Plan>): Promise<boolean> {
	const {questions} = await planning;
	return questions.some(({packet}) => packet === 'invalid');
}

/** With 2,000 rules, a second sandbox costs what it saves; with 5,000 the comparison takes 4.5 instead of 5.2 s, at the price of a sixth more processor time, and with 10,000 9.9 instead of 13.5 s. */
const usuallyMany = 8000;

/** How many rule sets are probed at once: the usual number of processors, since a sandbox keeps one busy. */
const jobs = 2;

/** A representative as a probe. */
export function questionOf({index: _, kind: _kind, origin, destination, packet, ...same}: Representative): ProbeSpec {
	return {
		...same,
		from: origin === 'pod' ? 'app' : 'remote',
		asked: destination.address,
		to: destination,
		...(packet === 'invalid' ? {packet} : {}),
	};
}
