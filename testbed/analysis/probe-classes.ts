/**
Classes of packets put to the kernel: rule set after rule set on stages that are kept, a probe for each representative.
*/

import type {AddressFamily, Backend} from '../../src/netfilter/types.js';
import {classify, type ClassSet} from '../../src/packet-classes/classify.js';
import type {Side} from '../../src/comparison/moves.js';
import {representativesOf, type Representative} from '../../src/packet-classes/representatives.js';
import type {Program} from '../../src/packet-classes/symbolic-walk.js';
import type {ProbeSpec} from '../../src/scenario/probe-spec.js';
import {defaultTopology} from '../../src/scenario/topology.js';
import type {ActorCredentials} from '../../src/scenario/types.js';
import {withWorkers} from '../system/worker-pool.js';
import type {RuleInput} from '../inputs/types.js';
import {ProberSandbox} from '../probe/prober-sandbox.js';
import {rulesWithMesh} from '../inputs/meshes.js';

/** What decides a run of classes. */
export type ClassRunOptions = {
	readonly inputs: readonly RuleInput[];
	readonly families: readonly AddressFamily[];
	/** Who the proxy runs as, on all sides. */
	readonly credentials: ActorCredentials;
	readonly timeoutMs: number;
	readonly traceBufferBytes: number;
	readonly signal: AbortSignal;
	readonly onProgress: (step: string) => void;
	/** Rule sets that are not here to be asked, but whose classes are told apart as well. Theirs come first in what is predicted of a class. */
	readonly alongside?: (family: AddressFamily) => readonly Program[];
};

/** What the probes showed in one family, a side for each input. */
export type ProbedClasses = {readonly classSet: ClassSet; readonly representatives: readonly Representative[]; readonly sides: readonly Side[]};

/** A rule input as it is walked. */
export function programOf({ruleSet, routing: {markRules}}: RuleInput, family: AddressFamily): Program {
	return {ruleSet, localMarks: markRules.filter(rule => rule.family === family).map(({mark, mask = 0xFF_FF_FF_FF}) => ({mark, mask}))};
}

/**
Cuts the packets of all inputs into common classes and sends their representatives through each input's rules.

@throws {TestbedError} RULES_REJECTED, and all that a batch of probes throws.
*/
export async function probeClasses(options: ClassRunOptions): Promise<readonly ProbedClasses[]> {
	const {
		inputs, families, onProgress, alongside = () => [],
	} = options;
	const planned = families.map(family => {
		const classSet = classify([...alongside(family), ...inputs.map(input => programOf(input, family))], {family, topology: defaultTopology});
		return {classSet, representatives: representativesOf(classSet, defaultTopology)};
	});
	const questions = planned.flatMap(({representatives}) => representatives.map(representative => questionOf(representative)));
	onProgress(`sending ${questions.length} probes through ${inputs.length === 1 ? 'the rules' : `${inputs.length} rule sets`}`);
	const sides = await sendAll(options, questions);
	let begin = 0;
	return planned.map(({classSet, representatives}) => {
		const end = begin + representatives.length;
		const own = sides.map(({ruleSet, probeResults}): Side => ({ruleSet, probeResults: probeResults.slice(begin, end)}));
		begin = end;
		return {classSet, representatives, sides: own};
	});
}

/** Sends the same questions through all inputs, in as many sandboxes as there are jobs. Each is kept for the next input of its back end. */
async function sendAll({inputs, families, credentials, timeoutMs, traceBufferBytes, signal, onProgress}: ClassRunOptions, questions: readonly ProbeSpec[]): Promise<readonly Side[]> {
	const sides: Side[] = [];
	const hasInvalid = questions.some(({packet}) => packet === 'invalid');
	await withWorkers([...inputs.entries()], jobs, async take => {
		let sandbox: ProberSandbox | undefined;
		let backend: Backend | undefined;
		try {
			for (let next = take(); next !== undefined; next = take()) {
				signal.throwIfAborted();
				const [place, input] = next;
				if (inputs.length > jobs) {
					onProgress(`sending ${questions.length} probes through rule set ${place + 1} of ${inputs.length}`);
				}

				if (sandbox === undefined || backend !== input.backend) {
					await sandbox?.[Symbol.asyncDispose](); // eslint-disable-line no-await-in-loop -- A lane does one thing after the other.
					backend = input.backend;
					sandbox = await ProberSandbox.create({backend, families, timeoutMs, traceBufferBytes}); // eslint-disable-line no-await-in-loop -- As above.
				}

				const ruleSet = await sandbox.install(input, credentials, {hasInvalid}); // eslint-disable-line no-await-in-loop -- As above.
				sides[place] = {ruleSet: rulesWithMesh(input, ruleSet), probeResults: await sandbox.send(questions, {follow: true})}; // eslint-disable-line no-await-in-loop -- As above.
			}
		} finally {
			await sandbox?.[Symbol.asyncDispose]();
		}
	});
	return sides;
}

/** As many rule sets at once as there are usually processors: a sandbox keeps one busy. */
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
