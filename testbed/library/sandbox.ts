/**
A sandbox for the library: rules in a pod of their own, and connections sent through them.
*/

import {flag} from '../../src/parsing/schema.js';
import type {AddressFamily, RuleSet} from '../../src/netfilter/types.js';
import type {ProbeInput, ProbeSpec} from '../../src/scenario/probe-spec.js';
import type {Gap} from '../../src/trace/gap.js';
import {readProbeObject} from '../inputs/probe-line.js';
import {TestbedError} from '../errors.js';
import {answerOf, type BatchOutcome} from '../probe/answers.js';
import {ProberSandbox} from '../probe/prober-sandbox.js';
import {badArgument, checkOptions} from './check.js';
import {rulesOrDefault, type LoadedRules} from './rules.js';
import {choicesOf, sandboxShape, type RunChoices} from './runs.js';

/** One connection to attempt: the keys of a line of `testbed probe --batch`. Only `to` must be there. */
export type ProbeAsked = ProbeInput;

/** What the kernel did. Where `gaps` is not empty, `outcome` is `inconclusive` and nothing is shown: assert on it. */
export type ProbeAnswer = {
	/** The listeners that it met: `proxy:15001`, `remote:8080`. */
	readonly stops: readonly string[];
	/** Every rule that matched, in the notation of the testbed. */
	readonly path: readonly string[];
	readonly outcome: BatchOutcome;
	readonly gaps: readonly Gap[];
};

/** What a sandbox is opened with. */
export type SandboxChoices = Omit<RunChoices, 'signal'> & {
	/** Whether what the proxy and the agent would send on is sent as well. Default: true. */
	readonly follow?: boolean;
};

/** Rules in a sandbox. Close it, or let `await using` do so: until then it holds two namespaces and a few threads. It does not keep the process, though: a script that forgets `close()` ends when it has nothing else to do, and nothing of the sandbox outlives it. */
export class RulesSandbox implements AsyncDisposable {
	readonly #sandbox: ProberSandbox;
	readonly #families: readonly AddressFamily[];
	readonly #follow: boolean;
	#last: Promise<unknown> = Promise.resolve();
	#closed: Promise<void> | undefined;

	constructor(sandbox: ProberSandbox, {families, follow}: {readonly families: readonly AddressFamily[]; readonly follow: boolean}) {
		this.#sandbox = sandbox;
		this.#families = families;
		this.#follow = follow;
	}

	/** The rules as the kernel holds them. */
	get ruleSet(): RuleSet {
		return this.#sandbox.ruleSet;
	}

	/**
	Sends one connection.

	@throws {TestbedError} as {@link probeAll}.
	*/
	async probe(asked: ProbeAsked): Promise<ProbeAnswer> {
		const [answer] = await this.probeAll([asked]);
		return answer!;
	}

	/**
	Sends many at once, which costs little more than one; the answers stand in the same order.

	@throws {TestbedError} INPUT for a question that makes no sense, by its place; USAGE for one that never comes into the pod, and after {@link close}.
	*/
	async probeAll(asked: readonly ProbeAsked[]): Promise<readonly ProbeAnswer[]> {
		if (this.#closed !== undefined) {
			throw new TestbedError('USAGE', {message: 'This sandbox is closed.', hint: 'Probe before close(), or open another one.'});
		}

		if (!Array.isArray(asked)) {
			throw badArgument('probeAll: asked', asked, 'a list of probes is due, such as [{to: "remote:8080"}]');
		}

		const questions = (asked as readonly ProbeAsked[]).map((one, index) => this.#read(one, index));
		// The prober answers one list after the other.
		const answers = this.#afterLast(async () => questions.length === 0 ? [] : this.#send(questions));
		this.#last = endOf(answers);
		return answers;
	}

	/** Takes the sandbox down, when what was asked is answered. A second time does nothing. */
	async close(): Promise<void> {
		this.#closed ??= this.#afterLast(async () => this.#sandbox[Symbol.asyncDispose]());
		await this.#closed;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.close();
	}

	async #afterLast<T>(act: () => Promise<T>): Promise<T> {
		await this.#last;
		return act();
	}

	async #send(questions: readonly ProbeSpec[]): Promise<readonly ProbeAnswer[]> {
		const probeResults = await this.#sandbox.send(questions, {follow: this.#follow});
		return probeResults.map((probeResult, index) => answerOf(questions[index]!.id, probeResult));
	}

	#read(asked: ProbeAsked, index: number): ProbeSpec {
		const place = `probe ${index + 1}`;
		if (typeof asked !== 'object' || asked === null || Array.isArray(asked)) {
			throw badArgument(place, asked, 'an object is due, such as {to: "remote:8080"}');
		}

		const question = readProbeObject(asked, place);
		if (!this.#families.includes(question.family)) {
			throw new TestbedError('INPUT', {message: `${place}: "to" is ${question.asked}, of ${question.family}; the rules are of ${this.#families.join(' and ')}.`, hint: 'Load the rules of both families.'});
		}

		return question;
	}
}

/** When something has ended, one way or the other. */
async function endOf(act: Promise<unknown>): Promise<void> {
	try {
		await act;
	} catch {} // Whoever asked is told.
}

/**
Builds a pod in namespaces of its own, installs the rules, and is ready to probe. Nothing of the machine itself is changed, and many can stand at once.

```
await using sandbox = await openSandbox('release:1.30');
const {stops, gaps} = await sandbox.probe({from: 'app', to: 'remote:8080'});
```

In plain JavaScript of Node 20, which has no `using` yet: `try { … } finally { await sandbox.close(); }`.

@throws {TestbedError} INPUT or USAGE for the rules, RULES_REJECTED, MACHINE or MISSING_PROGRAM when this machine cannot do it.
*/
export async function openSandbox(...given: readonly [rules?: string | LoadedRules, choices?: SandboxChoices]): Promise<RulesSandbox> {
	const [, choices = {}] = given;
	checkOptions<SandboxChoices>(choices, 'openSandbox: choices', {...sandboxShape, follow: flag});
	const {follow = true} = choices;
	const loaded = rulesOrDefault(given, 'openSandbox: rules');
	const {credentials, timeoutMs, traceBufferBytes} = choicesOf(loaded, choices);
	const {families} = loaded;
	const sandbox = await ProberSandbox.createWith(loaded, credentials, {families, timeoutMs, traceBufferBytes});
	return new RulesSandbox(sandbox, {families, follow});
}
