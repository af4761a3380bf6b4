/**
Whose fault it is that a tool did not take rules: the rules' or the machine's. It is found out by asking the kernel, not by what the tool said: in a namespace of its own, first by the smallest rules that need what the rejected line names, then by the same rules once more.
*/

import type {TextFamily} from '../../src/netfilter/rule-texts.js';
import type {Backend} from '../../src/netfilter/types.js';
import {TestbedError} from '../errors.js';
import {CommandError, isProgramKilled} from '../system/exec.js';
import {LockFile} from '../system/lock-file.js';
import type {BackendDriver} from './backends/driver.js';
import {fixOf} from './kernel-samples.js';
import {Netns} from './netns.js';

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
	readonly driver: BackendDriver;
	readonly family: TextFamily;
	readonly input: string;
	readonly line: string | undefined;
	readonly error: CommandError;
};

/**
The machine's fault, if it is one; undefined where the rules are at fault: all that they name works in a namespace of its own, and there they are rejected as well.

@throws {TestbedError} MISSING_PROGRAM, SYSCALL_FAILED and whatever else keeps it from asking.
*/
export async function machineFaultOf(refusal: Refusal): Promise<TestbedError | undefined> {
	const {
		driver, family, input, line = '', error,
	} = refusal;
	const program = driver.programFor(family);
	if (isProgramKilled(error)) {
		return new TestbedError('MACHINE', {message: `${program} was ended before it had said anything of the rules: ${error.message}`, state: 'No traffic was sent.', cause: error});
	}

	await using lockFile = await LockFile.create();
	// What the rejected line names comes first, then what the rest of the input does: the line that a tool names is not always the one that the kernel refused, and rules of which one thing does not work cannot be installed here whatever else is wrong with them.
	for (const {what, kind, text, module} of driver.samplesNamedIn({family, line, input})) {
		const complaint = await complaintAbout(text, refusal, lockFile); // eslint-disable-line no-await-in-loop -- One thing after the other: the first that does not work is the cause of the rest.
		if (complaint !== undefined) {
			const words = {
				message: `This machine cannot install what the rules need: the ${what} (${[driver.name, ...(family === null ? [] : [family])].join(', ')}). ${program} said: ${saying(complaint)}`,
				hint: `${fixOf(module)} (kernel module ${module}); \`testbed doctor\` tries everything.`,
				cause: error,
			};
			return kind === 'table' ? new BackendError(driver.name, words) : new TestbedError('MACHINE', {...words, state: 'No traffic was sent.'});
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

/** What a tool says against a text in a new namespace; undefined when it takes it. */
async function complaintAbout(text: string, {driver, family}: Refusal, lockFile: LockFile): Promise<CommandError | undefined> {
	await using netns = Netns.create('scratch', ['lo']);
	try {
		await driver.load(netns, {family, text, lockFile: lockFile.path});
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

/** The line that a tool names: `line 5`, `line: 5`; nft's `/dev/stdin:5:1-7`. */
const linePattern = /line:? (?<line>\d+)|\/dev\/stdin:(?<nftLine>\d+):/u;

/** What a tool says, without anything that it may quote of another file than the text it was given: nft names the file in front of each message, and shows the line behind it. */
function ownWords(stderr: string): string {
	const lines = stderr.trim().split('\n');
	let isOwn = true;
	return lines.filter(line => {
		const [, file] = /^(?:In file included from )?(?<file>\S+):\d+:\d+(?:-\d+)?:/u.exec(line) ?? [];
		isOwn = file === undefined ? isOwn : file === '/dev/stdin';
		return isOwn;
	}).join('\n');
}

/** What an error of a tool means: the machine cannot do it, or the rules were rejected, by the tool's own line and, where there is one, the user's: `lineOf`. `alone` is the input without what it says of rules that are there. An error that is not the tool's comes back as it is. */
export async function rejectionOf(error: unknown, {driver, family, input, alone = input, program, lineOf}: Pick<Refusal, 'driver' | 'family' | 'input'> & {
	readonly alone?: string; readonly program: string; readonly lineOf: (line: number) => number | undefined;
}): Promise<unknown> {
	if (!(error instanceof CommandError)) {
		return error;
	}

	const {line: ofIptables, nftLine} = linePattern.exec(error.stderr)?.groups ?? {};
	const said = ownWords(error.stderr);
	const line = Number(ofIptables ?? nftLine ?? 0);
	const text = input.split('\n')[line - 1]?.trim();
	// Of iptables the end of a table, or a chain, can be the line that is named; nft names what it means.
	const isRule = text !== undefined && (family === null || text.startsWith('-'));
	const fault = await machineFaultOf({
		driver, family, input: alone, line: isRule ? text : undefined, error,
	});
	if (fault !== undefined) {
		return fault;
	}

	const own = lineOf(line);
	const where = own === undefined ? `line ${line}` : `line ${own} of what was given`;
	return new TestbedError('RULES_REJECTED', {
		message: `${program} rejected ${isRule ? `${where}, \`${text}\`` : 'the rules'}${said === '' ? '' : `: ${said}`}`,
		state: 'No traffic was sent and nothing stays installed.',
		hint: 'This machine has every table, match and target that is named there and that the testbed knows: look at the rule itself.',
		cause: error,
	});
}
