/**
`testbed probe --batch`: JSON lines in, JSON lines out, in the same order.
*/

import {exitStatus} from '../../../src/judge/exit-status.js';
import type {AddressFamily} from '../../../src/netfilter/types.js';
import {fieldList, optionOf, type ProbeSpec} from '../../../src/scenario/probe-spec.js';
import {TestbedError} from '../../errors.js';
import {readLines} from '../../inputs/read-text.js';
import {answerOf} from '../../probe/answers.js';
import {ProberSandbox} from '../../probe/prober-sandbox.js';
import {isDump} from '../../inputs/source.js';
import {tell, writeOut} from '../../system/streams.js';
import {describeNotes} from '../output/notes.js';
import {readProbeLine} from '../../inputs/probe-line.js';
import {usualCredentials} from '../../inputs/credentials.js';
import {supervise} from '../supervise.js';
import {rulesOfProbe, type ProbeFlags} from './probe.js';

/** Lines that are asked at once: enough for the prober's largest batch, and little to wait for at the start. */
const chunkSize = 16_384;

/** Options that each line says for itself. The family is also that of the rules. */
const perLine = fieldList.flatMap(({key, option}) => option === undefined || key === 'family' ? [] : [key]);

/**
Asks every line and prints its answer; returns the exit status: 0 when all have one, 3 when some are inconclusive.

@throws {TestbedError} USAGE or INPUT, and what a prober throws. Answers to the chunks before a wrong line are printed by then.
*/
export async function probeBatchCommand(file: string, flags: ProbeFlags, given: readonly string[]): Promise<number> {
	const wrong = perLine.filter(name => given.includes(name));
	if (wrong.length > 0) {
		throw new TestbedError('USAGE', {message: `--batch: each line says for itself what ${wrong.map(name => optionOf(name)).join(', ')} ${wrong.length === 1 ? 'says' : 'say'}.`, hint: 'For instance {"from": "app", "uid": 1000, "to": "10.96.0.1:443"}.'});
	}

	if (given.includes('firstLeg') || given.includes('format') || given.includes('verbose')) {
		throw new TestbedError('USAGE', {message: '--batch answers in JSON lines, each with its first leg unless --follow is given; --first-leg, --format and --verbose are for single probes.'});
	}

	const families = familiesOf(flags);
	const rules = rulesOfProbe(flags, families);
	const credentials = usualCredentials(flags, rules.intent, rules.proxy);
	tell(describeNotes(rules));
	return supervise(async ({signal, onProgress}) => {
		onProgress('building the sandbox, installing the rules');
		await using sandbox = await ProberSandbox.createWith(rules, credentials, {families, timeoutMs: flags.timeout, traceBufferBytes: flags.traceBuffer});
		const started = performance.now();
		let [asked, open] = [0, 0];
		for await (const questions of chunks(file, families, signal)) {
			signal.throwIfAborted();
			onProgress(`${asked} probes answered`);
			const probeResults = await sandbox.send(questions, {follow: flags.follow === true});
			const answers = probeResults.map((probeResult, index) => answerOf(questions[index]!.id, probeResult));
			asked += answers.length;
			open += answers.filter(({outcome}) => outcome === 'inconclusive').length;
			const isRead = await writeOut(answers.map(answer => `${JSON.stringify(answer)}\n`).join(''));
			if (!isRead) {
				break; // Nobody wants to know more.
			}
		}

		signal.throwIfAborted();
		if (asked === 0) {
			throw new TestbedError('INPUT', {message: `${nameOf(file)} holds no probe.`, hint: 'One JSON object a line, for instance {"from": "app", "to": "10.96.0.1:443"}.'});
		}

		const seconds = (performance.now() - started) / 1000;
		tell(`testbed: ${asked - open} answered, ${open} inconclusive in ${seconds.toFixed(1)} s (${Math.round(asked / seconds)} a second${sandbox.repeated === 0 ? '' : `; ${sandbox.repeated} sent again`})\n`);
		return exitStatus({passed: asked - open, failed: 0, inconclusive: open});
	});
}

/** The families of the rules: both, unless a dump of IPv4 stands alone or one is asked for. */
function familiesOf({family, rules, rules6}: ProbeFlags): readonly AddressFamily[] {
	if (family !== undefined) {
		return [family];
	}

	return rules !== undefined && isDump(rules) && rules6 === undefined ? ['ipv4'] : ['ipv4', 'ipv6'];
}

function nameOf(file: string): string {
	return file === '-' ? 'stdin' : file;
}

/** The questions of a file, some thousand at a time. */
async function * chunks(file: string, families: readonly AddressFamily[], signal: AbortSignal): AsyncGenerator<readonly ProbeSpec[]> {
	let questions: ProbeSpec[] = [];
	let number = 0;
	for await (const text of readLines({file, what: 'The batch', option: '--batch', signal})) {
		number++;
		if (text.trim() === '') {
			continue;
		}

		const place = `${nameOf(file)}, line ${number}`;
		const question = readProbeLine(text, place);
		if (!families.includes(question.family)) {
			throw new TestbedError('INPUT', {message: `${place}: "to" is ${question.asked}, of ${question.family}; the rules are of ${families.join(' and ')}.`, hint: 'Add --rules6 FILE, or leave --family out.'});
		}

		questions.push(question);
		if (questions.length === chunkSize) {
			yield questions;
			questions = [];
		}
	}

	if (questions.length > 0) {
		yield questions;
	}
}
