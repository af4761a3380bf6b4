/**
Finds out why a tool rejected rules: because of the rules or because of the machine. It asks the kernel instead of relying on the tool's message: in a fresh namespace it installs first the sample rules for what the rejected line uses, then the same rules again.
*/

import type {TextFamily} from '../../src/netfilter/rule-texts.js';
import type {Backend} from '../../src/netfilter/types.js';
import {TestbedError} from '../errors.js';
import {CommandError, isProgramKilled} from '../system/commands.js';
import {LockFile} from '../system/lock-file.js';
import type {BackendDriver} from './backends/driver.js';
import {fixOf} from './kernel-samples.js';
import {missingObjectOf} from './missing-object.js';
import {Netns} from './netns.js';

/** This machine lacks the back end altogether: none of its rule sets can be installed. */
export class BackendError extends TestbedError {
	readonly backend: Backend;

	constructor(backend: Backend, words: {readonly message: string; readonly hint: string; readonly cause: unknown}) {
		super('MACHINE', {...words, state: 'No traffic was sent.'});
		this.backend = backend;
	}
}

/** Input that a tool rejected. `line` is the text of the line that it named, undefined if it named none. */
export type Refusal = {
	readonly driver: BackendDriver;
	readonly family: TextFamily;
	readonly input: string;
	readonly line: string | undefined;
	readonly error: CommandError;
};

/**
The error, if the machine is at fault; undefined if the rules are: everything they use works in a fresh namespace, and they are rejected there as well.

@throws {TestbedError} MISSING_PROGRAM, SYSCALL_FAILED or other errors of the attempt itself.
*/
export async function machineFaultOf(refusal: Refusal): Promise<TestbedError | undefined> {
	const {
		driver, family, input, line = '', error,
	} = refusal;
	const program = driver.programFor(family);
	if (isProgramKilled(error)) {
		return new TestbedError('MACHINE', {message: `${program} was killed before it said anything about the rules: ${error.message}`, state: 'No traffic was sent.', cause: error});
	}

	await using lockFile = await LockFile.create();
	// First what the rejected line uses, then what the rest of the input uses: a tool does not always name the line that the kernel refused, and if one feature does not work, the rules cannot be installed here whatever else is wrong with them.
	for (const {what, kind, text, module} of driver.samplesNamedIn({family, line, input})) {
		const complaint = await complaintAbout(text, refusal, lockFile); // eslint-disable-line no-await-in-loop -- In order: the first that does not work is the cause of the rest.
		if (complaint !== undefined) {
			const words = {
				message: `This machine lacks something the rules need: the ${what} (${[driver.name, ...(family === null ? [] : [family])].join(', ')}). ${program} said: ${saying(complaint)}`,
				hint: `${fixOf(module)} (kernel module ${module}); \`testbed doctor\` checks everything.`,
				cause: error,
			};
			return kind === 'table' ? new BackendError(driver.name, words) : new TestbedError('MACHINE', {...words, state: 'No traffic was sent.'});
		}
	}

	if (await complaintAbout(input, refusal, lockFile) === undefined) {
		return new TestbedError('MACHINE', {
			message: `${program} accepted the rules in a fresh namespace, but not in the sandbox: ${saying(error)}`,
			state: 'No traffic was sent.',
			hint: 'The rules are not at fault. Try again.',
			cause: error,
		});
	}

	return undefined;
}

type MissingThing = {readonly line: number; readonly text: string; readonly thing: string; readonly others: number};

/** Objects that rules refer to and that other programs create, per namespace (ipset(8), nfacct(8)). */
const namedThings: ReadonlyArray<readonly [pattern: RegExp, what: string]> = [
	[/\s-m set (?:! )?--match-set (?<name>\S+)/u, 'the ipset'],
	[/\s-j SET --(?:add|del|map)-set (?<name>\S+)/u, 'the ipset'],
	[/\s-m nfacct --nfacct-name (?<name>\S+)/u, 'the accounting object'],
];

/** The first line that refers to such an object, if that is why the tool rejects the text, that is, if the tool accepts the text without all such lines. nft has no such objects. */
async function missingThingIn(refusal: Refusal): Promise<MissingThing | undefined> {
	const lines = refusal.input.split('\n');
	const found = lines.flatMap((text, index) => namedThings.flatMap(([pattern, what]) => {
		const name = pattern.exec(text)?.groups?.['name'];
		return name === undefined ? [] : [{line: index + 1, text: text.trim(), thing: `${what} ${name}`}];
	}));
	const [first] = found;
	if (first === undefined) {
		return undefined;
	}

	await using lockFile = await LockFile.create();
	const left = new Set(found.map(({line}) => line));
	const complaint = await complaintAbout(lines.filter((_, index) => !left.has(index + 1)).join('\n'), refusal, lockFile);
	return complaint === undefined ? {...first, others: left.size - 1} : undefined;
}

/** The error of a tool for a text in a new namespace; undefined if it accepts the text. */
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

/** A tool's messages, without anything that it quotes from a file other than its input: nft names the file before each message, and shows the line after it. */
function ownWords(stderr: string): string {
	const lines = stderr.trim().split('\n');
	let isOwn = true;
	return lines.filter(line => {
		const [, file] = /^(?:In file included from )?(?<file>\S+):\d+:\d+(?:-\d+)?:/u.exec(line) ?? [];
		isOwn = file === undefined ? isOwn : file === '/dev/stdin';
		return isOwn;
	}).filter(line => !isNoise.test(line)).join('\n').replace(/^\S+ v[\d.]+ \([a-z_]+\): /u, '').trim();
}

/** Line numbers in the tool's input and pointers to its help: useless for users, whose own line is named separately. */
const isNoise = /^(?:Error occurred at line: \d+|Try `[^']*' or '[^']*' for more information\.|)$/u;

/** Turns a tool's error into one that says whether the machine cannot do it or the rules were rejected, with the line in the user's text (`lineOf`) or in the tool's input. `alone` is the input without the parts that replace earlier rules. Other errors are returned unchanged. */
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
	const missing = await missingThingIn({
		driver, family, input: alone, line: undefined, error,
	});
	if (missing !== undefined) {
		const own = lineOf(missing.line);
		return new TestbedError('RULES_REJECTED', {
			message: `${own === undefined ? `line ${missing.line}` : `line ${own} of the input`}, \`${missing.text}\`, needs ${missing.thing}, which is missing here: it exists on the machine that the rules come from, but a dump of rules does not include it.`,
			state: 'No traffic was sent, and nothing is left installed.',
			hint: `Remove the rule${missing.others === 0 ? '' : ` (and ${missing.others} more like it)`} from the text to see what the others do.`,
			cause: error,
		});
	}

	// Iptables may name the end of a table or a chain; nft names the offending line itself.
	const isRule = text !== undefined && (family === null || text.startsWith('-'));
	const fault = await machineFaultOf({
		driver, family, input: alone, line: isRule ? text : undefined, error,
	});
	if (fault !== undefined) {
		return fault;
	}

	const lacking = missingObjectOf(error.stderr, input);
	const place = lacking?.line ?? line;
	const own = lineOf(place);
	const where = own === undefined ? `line ${place}` : `line ${own} of the input`;
	if (lacking !== undefined) {
		return new TestbedError('RULES_REJECTED', {
			message: `${program} rejected ${lacking.line === undefined ? 'the rules' : `${where}, \`${input.split('\n')[place - 1]!.trim()}\``}: ${lacking.what}.`,
			state: 'No traffic was sent, and nothing is left installed.',
			hint: lacking.hint,
			cause: error,
		});
	}

	return new TestbedError('RULES_REJECTED', {
		message: `${program} rejected ${isRule ? `${where}, \`${text}\`` : 'the rules'}${said === '' ? '' : `: ${said}`}`,
		state: 'No traffic was sent, and nothing is left installed.',
		hint: 'This machine supports every table, match and target in it that the testbed knows, so check the rule itself.',
		cause: error,
	});
}
