/**
A sandbox for the library: rules in a pod, and connections sent through them.
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

/** One connection to attempt, with the keys of a line of `testbed probe --batch`. Only `to` is required. */
export type ProbeAsked = ProbeInput;

/** What the kernel did. If `gaps` is not empty, `outcome` is `inconclusive` and nothing is proven: assert on it. */
export type ProbeAnswer = {
	/** The listeners that it reached: `proxy:15001`, `remote:8080`. */
	readonly stops: readonly string[];
	/** Every rule that matched, in the testbed's notation. */
	readonly path: readonly string[];
	readonly outcome: BatchOutcome;
	readonly gaps: readonly Gap[];
};

/** Options of a sandbox. */
export type SandboxChoices = Omit<RunChoices, 'signal'> & {
	/** Whether to also send what the proxy and the agent would forward. Default: true. */
	readonly follow?: boolean;
};

/** Rules in a sandbox. Close it, or use `await using`: until then it holds two namespaces and a few threads. It does not keep the process alive: a script that forgets `close()` still ends when it has nothing else to do, and nothing of the sandbox outlives it. */
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

	/** The rules as installed in the kernel. */
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
	Sends many connections at once, which costs little more than one; returns the answers in the same order.

	@throws {TestbedError} INPUT for an invalid probe, with its index; USAGE for one that never enters the pod, and after {@link close}.
	*/
	async probeAll(asked: readonly ProbeAsked[]): Promise<readonly ProbeAnswer[]> {
		if (this.#closed !== undefined) {
			throw new TestbedError('USAGE', {message: 'This sandbox is closed.', hint: 'Send probes before close(), or open another sandbox.'});
		}

		if (!Array.isArray(asked)) {
			throw badArgument('probeAll: asked', asked, 'expected a list of probes, such as [{to: "remote:8080"}]');
		}

		const questions = (asked as readonly ProbeAsked[]).map((one, index) => this.#read(one, index));
		// The prober answers one list after the other.
		const answers = this.#afterLast(async () => questions.length === 0 ? [] : this.#send(questions));
		this.#last = endOf(answers);
		return answers;
	}

	/** Removes the sandbox once all pending probes are answered. A second call does nothing. */
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
			throw badArgument(place, asked, 'expected an object, such as {to: "remote:8080"}');
		}

		const question = readProbeObject(asked, place, this.#families, this.#sandbox.topology);
		if (!this.#families.includes(question.family)) {
			throw new TestbedError('INPUT', {message: `${place}: "to" is ${question.asked} (${question.family}), but the rules are for ${this.#families.join(' and ')}.`, hint: 'Load the rules of both families.'});
		}

		return question;
	}
}

/** Waits until something has ended, successfully or not. */
async function endOf(act: Promise<unknown>): Promise<void> {
	try {
		await act;
	} catch {} // Reported to the caller of `act`.
}

/**
Builds a pod in its own namespaces and installs the rules, ready for probes. The machine itself is not changed, and many sandboxes can be open at once.

```
await using sandbox = await openSandbox('release:1.30');
const {stops, gaps} = await sandbox.probe({from: 'app', to: 'remote:8080'});
```

In plain JavaScript on Node 20, which has no `using` yet: `try { … } finally { await sandbox.close(); }`.

@throws {TestbedError} INPUT or USAGE for the rules, RULES_REJECTED; MACHINE or MISSING_PROGRAM if this machine cannot do it.
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
