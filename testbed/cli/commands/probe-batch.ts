/**
`testbed probe --batch`: JSON lines in, JSON lines out, in the same order.
*/

import {exitStatus} from '../../../src/judge/exit-status.js';
import {cutText} from '../../../src/report/terminal/cut.js';
import {addressFamilies, defaultTopology, type Topology} from '../../../src/mesh/topology.js';
import {someMayCount} from '../../../src/netfilter/repeated-packets.js';
import type {AddressFamily} from '../../../src/netfilter/types.js';
import {fieldList, optionOf, type ProbeSpec} from '../../../src/scenario/probe-spec.js';
import {TestbedError} from '../../errors.js';
import {countLines, readLines} from '../../inputs/read-text.js';
import {checkOutputs} from '../../outputs/check.js';
import {answerOf, type BatchAnswer} from '../../probe/answers.js';
import {ManyProbes} from '../../probe/many-probes.js';
import {isOutside} from '../../probe/participants.js';
import {ProberSandbox} from '../../probe/prober-sandbox.js';
import {usualFamilies, type UsualFamilies} from '../../inputs/usual-families.js';
import {defaultInput} from '../../inputs/request.js';
import {withPauses} from '../../system/pauses.js';
import {tell, writeOut} from '../../system/streams.js';
import {remark} from '../output/remark.js';
import {describeNotes} from '../output/notes.js';
import {readProbeLine} from '../../inputs/probe-line.js';
import {usualCredentials} from '../../inputs/credentials.js';
import {Checks, isLeftUnread, refuseWithCheck} from '../check/checks.js';
import {endCheck, rowsOfRules, unreadPod} from '../check/plan.js';
import {supervise} from '../supervise.js';
import {ruleFiles} from '../output/output-files.js';
import {cutBatch, type Block} from './batch-shard.js';
import {rulesOfProbe, type ProbeFlags} from './probe.js';
import {shardFiles, shardOf} from './shard-flags.js';

/** Lines sent at once. With fewer, reading the counters costs more per probe; with more, the answers that wait to be printed survive several collections of garbage (bench/many-rules.ts). */
const chunkSize = 2048;

/** Options that each line sets for itself. `--family` is not one of them: it also selects the rules. */
const perLine = fieldList.flatMap(({key, option}) => option === undefined || key === 'family' ? [] : [key]);

/**
Sends a probe for every line and prints its answer; returns the exit status: 0 if all are answered, 3 if some are inconclusive.

@throws {TestbedError} USAGE or INPUT, and what a prober throws. The answers to the chunks before an invalid line have been printed by then.
*/
export async function probeBatchCommand(file: string, flags: ProbeFlags, given: readonly string[]): Promise<number> {
	const wrong = perLine.filter(name => given.includes(name));
	if (wrong.length > 0) {
		throw new TestbedError('USAGE', {message: `${wrong.map(name => optionOf(name)).join(', ')} cannot be used with --batch: each line of the file sets its own values.`, hint: 'For example: {"from": "app", "uid": 1000, "to": "10.96.0.1:443"}.'});
	}

	if (['firstLeg', 'format', 'json', 'brief', 'output', 'pcap', 'verbose'].some(name => given.includes(name))) {
		throw new TestbedError('USAGE', {message: '--batch answers in JSON lines, each with its first leg unless --follow is given; --first-leg, --format, --json, --brief, --output, --pcap and --verbose are for single probes.'});
	}

	refuseWithCheck(flags);
	const shardRequest = shardOf(flags);
	if (flags.check === true) {
		return checkBatch(file, flags);
	}

	checkOutputs(shardFiles(shardRequest).outputs, [{name: '--batch', file}, ...ruleFiles([['--rules', flags.rules], ['--rules6', flags.rules6]])]);
	const {families, ...known} = familiesOf(flags);
	const rules = rulesOfProbe(flags, families, known);
	const credentials = usualCredentials(flags, rules.intent, rules);
	tell(describeNotes(rules));
	tell(rules.warnings.map(warning => `testbed: ${cutText(warning, {more: ''})}\n`).join(''));
	return supervise(async ({signal, onProgress}) => {
		const startedAt = performance.now();
		const shard = shardRequest === undefined
			? undefined
			: await cutBatch({
				file, rules, flags, signal,
			}, shardRequest);
		if (shard?.block.end === 0) {
			await shard.write([], Math.round(performance.now() - startedAt));
			return 0;
		}

		onProgress('building the sandbox, installing the rules');
		const counting = shard === undefined ? countLines(file, signal) : Promise.resolve(shard.block.end - shard.block.first);
		const open = async () => ProberSandbox.createWith(rules, credentials, {families, timeoutMs: flags.timeout, traceBufferBytes: flags.traceBuffer});
		await using prober = await ManyProbes.open(open, someMayCount(rules.ruleSet.tables) ? {max: 1} : {});
		onProgress('sending probes', {done: 0});
		const started = performance.now();
		let [asked, inconclusive] = [0, 0];
		const kept: BatchAnswer[] = [];
		const read = (until: AbortSignal) => chunks({
			file, families, topology: rules.topology, block: shard?.block, signal: until,
		});
		for await (const {questions, probeResults} of prober.send(read, {follow: flags.follow === true, signal, before: shard?.block.first})) {
			signal.throwIfAborted();
			const answers = probeResults.map((probeResult, index) => answerOf(questions[index]!.id, probeResult));
			asked += answers.length;
			onProgress('sending probes', {done: asked, total: await counting});
			inconclusive += answers.filter(({outcome}) => outcome === 'inconclusive').length;
			kept.push(...(shard === undefined ? [] : answers));
			const isRead = await writeOut(answers.map(answer => `${JSON.stringify(answer)}\n`).join(''));
			if (!isRead && shard === undefined) {
				break; // The reader has closed the pipe.
			}
		}

		signal.throwIfAborted();
		refuseEmpty(file, asked);
		const seconds = (performance.now() - started) / 1000;
		remark(`testbed: ${asked - inconclusive} answered, ${inconclusive} inconclusive in ${seconds.toFixed(1)} s (${Math.round(asked / seconds)}/s${prober.repeated === 0 ? '' : `; ${prober.repeated} sent again`})\n`);
		await shard?.write(kept, Math.round(performance.now() - startedAt));
		return exitStatus({passed: asked - inconclusive, failed: 0, inconclusive});
	});
}

/**
Checks every line, and prints what would be sent.

@throws {TestbedError} The faults of the rules and of all lines.
*/
async function checkBatch(file: string, flags: ProbeFlags): Promise<number> {
	const checks = new Checks(flags);
	const source = flags.rules ?? defaultInput;
	const isUnread = checks.do(() => isLeftUnread(source, checks)) === true;
	const known = isUnread ? {families: flags.family === undefined ? addressFamilies : [flags.family]} : checks.do(() => familiesOf(flags));
	const rules = isUnread || known === undefined
		? undefined
		: checks.do(() => {
			const {families, ...read} = known;
			return rulesOfProbe(flags, families, read);
		});
	const families = known?.families ?? addressFamilies;
	const probes = await checks.wait(async () => supervise(async ({signal}) => {
		let count = 0;
		for await (const line of readBatch(file, signal)) {
			count++;
			checks.do(() => questionOf(line, families, rules?.topology));
		}

		refuseEmpty(file, count);
		return count;
	}));
	checks.end();
	return endCheck({
		command: 'probe --batch',
		rows: [['probes', String(probes)], ...(rules === undefined ? [['rule sets', `1: ${source}`] as const] : rowsOfRules([rules], families))],
		inputs: rules === undefined ? [] : [rules],
		unknown: rules === undefined ? [unreadPod(source)] : [],
	});
}

/** @throws {TestbedError} INPUT for a batch without probes. */
function refuseEmpty(file: string, probes: number): void {
	if (probes === 0) {
		throw new TestbedError('INPUT', {message: `${nameOf(file)} contains no probes.`, hint: 'Write one JSON object per line, for example: {"from": "app", "to": "10.96.0.1:443"}.'});
	}
}

/** The families of the rules, and the text of a dump or the live pod that was read to tell them. */
function familiesOf({family, rules = defaultInput, rules6}: ProbeFlags): UsualFamilies {
	return family === undefined ? usualFamilies({source: rules, source6: rules6}) : {families: [family]};
}

function nameOf(file: string): string {
	return file === '-' ? 'stdin' : file;
}

/** A line of a batch, and how errors name it. */
type BatchLine = {readonly text: string; readonly place: string};

/** The lines of a file that are not empty. */
async function * readBatch(file: string, signal: AbortSignal): AsyncGenerator<BatchLine> {
	let number = 0;
	for await (const text of readLines({
		file, what: 'The batch', option: '--batch', signal,
	})) {
		number++;
		if (text.trim() !== '') {
			yield {text, place: `${nameOf(file)}, line ${number}`};
		}
	}
}

/** @throws {TestbedError} INPUT for a line that is no probe, one of a family without rules, or one that never enters the pod. */
function questionOf({text, place}: BatchLine, families: readonly AddressFamily[], topology: Topology = defaultTopology): ProbeSpec {
	const question = readProbeLine(text, place, families, topology);
	if (isOutside(question, topology)) {
		throw new TestbedError('INPUT', {message: `${place}: a connection from ${question.from} to ${question.asked} does not enter the pod, so none of its rules apply.`, hint: `From outside, connect to the pod: "to": "pod:${question.to.port}".`});
	}

	if (!families.includes(question.family)) {
		throw new TestbedError('INPUT', {message: `${place}: "to" is ${question.asked} (${question.family}), but the rules are for ${families.join(' and ')}.`, hint: 'Add --rules6 FILE, or omit --family.'});
	}

	return question;
}

/** The questions in a file, some thousands at a time; of standard input, at each pause what has come by then. */
async function * chunks({file, families, topology, block = {first: 0, end: Number.POSITIVE_INFINITY}, signal}: {
	readonly file: string; readonly families: readonly AddressFamily[]; readonly topology: Topology | undefined; readonly block: Block | undefined; readonly signal: AbortSignal;
}): AsyncGenerator<readonly ProbeSpec[]> {
	let questions: ProbeSpec[] = [];
	let probes = 0;
	const lines = readBatch(file, signal);
	for await (const line of file === '-' ? withPauses(lines) : lines) {
		if (line !== undefined) {
			const isOwn = probes >= block.first && probes < block.end;
			probes++;
			questions.push(...isOwn ? [questionOf(line, families, topology)] : []);
		}

		if (questions.length === chunkSize || (line === undefined && questions.length > 0)) {
			yield questions;
			questions = [];
		}
	}

	if (questions.length > 0) {
		yield questions;
	}
}
