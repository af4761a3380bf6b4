/**
Whose fault it is that a tool did not take rules: the rules' or the machine's. It is found out by asking the kernel, not by what the tool said: in a namespace of its own, first by the smallest rules that need what the rejected line names, then by the same rules once more.
*/

import type {AddressFamily, Backend, IptablesBackend} from '../../src/netfilter/types.js';
import {TestbedError} from '../errors.js';
import {CommandError, isProgramKilled} from '../system/exec.js';
import {LockFile} from '../system/lock-file.js';
import {
	iptablesSampleText, mendOf, moduleOf, nativeSamplesNamedIn, nativeSampleText, samplesNamedIn, type SampleKind,
} from './kernel-samples.js';
import {Netns} from './netns.js';
import {restoreRules, tool} from './tools.js';

/** A back end that this machine does not have at all: no rule set of it can be installed. */
export class BackendError extends TestbedError {
	readonly backend: Backend;

	constructor(backend: Backend, words: {readonly message: string; readonly hint: string; readonly cause: unknown}) {
		super('MACHINE', {...words, state: 'No traffic was sent.'});
		this.backend = backend;
	}
}

/** What a tool was given and did not take. `line` is the text of the line that it named; undefined where it named none. */
export type Refusal = {
	readonly backend: Backend;
	/** Null for native nft, which takes all families in one text. */
	readonly family: AddressFamily | null;
	readonly input: string;
	readonly line: string | undefined;
	readonly error: CommandError;
};

type Sample = {readonly what: string; readonly kind: SampleKind; readonly text: string; readonly module: string};

/**
The machine's fault, if it is one; undefined where the rules are at fault: all that they name works in a namespace of its own, and there they are rejected as well.

@throws {TestbedError} MISSING_PROGRAM, SYSCALL_FAILED and whatever else keeps it from asking.
*/
export async function machineFaultOf(refusal: Refusal): Promise<TestbedError | undefined> {
	const {backend, family, input, error} = refusal;
	const program = family === null ? 'nft' : tool(backend as IptablesBackend, family, 'restore');
	if (isProgramKilled(error)) {
		return new TestbedError('MACHINE', {message: `${program} was ended before it had said anything of the rules: ${error.message}`, state: 'No traffic was sent.', cause: error});
	}

	await using lockFile = await LockFile.create();
	for (const {what, kind, text, module} of samplesFor(refusal)) {
		const complaint = await complaintAbout(text, refusal, lockFile); // eslint-disable-line no-await-in-loop -- One thing after the other: the first that does not work is the cause of the rest.
		if (complaint !== undefined) {
			const words = {
				message: `This machine cannot install what the rules need: the ${what} (${[backend, ...(family === null ? [] : [family])].join(', ')}). ${program} said: ${saying(complaint)}`,
				hint: `${mendOf(module)} (kernel module ${module}); \`testbed doctor\` tries everything.`,
				cause: error,
			};
			return kind === 'table' ? new BackendError(backend, words) : new TestbedError('MACHINE', {...words, state: 'No traffic was sent.'});
		}
	}

	if (await complaintAbout(input, refusal, lockFile) === undefined) {
		return new TestbedError('MACHINE', {
			message: `${program} took the rules in a namespace of their own, and in the sandbox it did not: ${saying(error)}`,
			state: 'No traffic was sent.',
			hint: 'The rules are not at fault. Run it again.',
			cause: error,
		});
	}

	return undefined;
}

/** What the rejected line names comes first, then what the rest of the input does: the line that a tool names is not always the one that the kernel refused, and rules of which one thing does not work cannot be installed here whatever else is wrong with them. */
function samplesFor({backend, family, input, line = ''}: Refusal): readonly Sample[] {
	if (family === null || backend === 'nftables') {
		return unique([...nativeSamplesNamedIn(line, input), ...nativeSamplesNamedIn(input, input)]).map(sample => ({
			what: sample.what, kind: sample.kind, text: nativeSampleText(sample), module: sample.module,
		}));
	}

	const tables = input.split('\n').filter(text => text.startsWith('*')).map(text => text.slice(1).trim());
	return unique([...samplesNamedIn(line, tables), ...samplesNamedIn(input, tables)]).map(sample => ({
		what: sample.what, kind: sample.kind, text: iptablesSampleText(sample), module: moduleOf(sample, backend, family),
	}));
}

function unique<T>(values: readonly T[]): readonly T[] {
	return [...new Set(values)];
}

/** What a tool says against a text in a new namespace; undefined when it takes it. */
async function complaintAbout(text: string, {backend, family}: Refusal, lockFile: LockFile): Promise<CommandError | undefined> {
	await using netns = Netns.create('scratch', ['lo']);
	try {
		await (family === null || backend === 'nftables'
			? netns.runConfined('nft', ['-f', '-'], {input: text})
			: restoreRules(netns, {
				backend, family, text, lockFile: lockFile.path,
			}));
		return undefined;
	} catch (error) {
		if (error instanceof CommandError) {
			return error;
		}

		throw error;
	}
}

function saying({stderr, exitCode}: CommandError): string {
	return stderr.trim() === '' ? `nothing, and ended with status ${exitCode ?? 'none'}` : stderr.trim();
}
