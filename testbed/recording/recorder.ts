/**
Collects the evidence behind reports during a command, and writes it at the end.
*/

import type {RunEntry, Runs} from '../../src/report/run/many.js';
import type {Report} from '../../src/report/run/types.js';
import type {RunEvidence} from '../run/report.js';
import {checkOutputs} from '../outputs/check.js';
import {writeOutput} from '../outputs/write.js';
import {printRecording, type RecordedEntry} from './file.js';

const what = 'The recording';

/** The recording of one command. */
export class Recorder {
	/**
	Checks that the file can be written before anything is run. Its old content stays until the recording is written.

	@throws {TestbedError} INPUT if it cannot.
	*/
	static create(file: string): Recorder {
		checkOutputs([{name: '--record', what, file}], []);
		return new Recorder(file);
	}

	readonly #file: string;
	readonly #evidence = new Map<Report, RunEvidence>();

	private constructor(file: string) {
		this.#file = file;
	}

	/** Keeps the evidence of a report. */
	note(report: Report, evidence: RunEvidence): void {
		this.#evidence.set(report, evidence);
	}

	/**
	Writes the recording of one run.

	@throws {TestbedError} INPUT if it cannot be written.
	*/
	async writeRun(report: Report): Promise<void> {
		await this.#write(printRecording({what: 'run', entries: [{kind: 'evidence', evidence: this.#evidenceOf(report)}]}));
	}

	/**
	Writes the recording of many runs, in the order of their report.

	@throws {TestbedError} INPUT if it cannot be written.
	*/
	async writeRuns({entries, durationMs}: Runs): Promise<void> {
		await this.#write(printRecording({what: 'runs', entries: entries.map(entry => this.#recorded(entry)), durationMs}));
	}

	#recorded(entry: RunEntry): RecordedEntry {
		return entry.kind === 'report' ? {kind: 'evidence', evidence: this.#evidenceOf(entry.report)} : entry;
	}

	#evidenceOf(report: Report): RunEvidence {
		const evidence = this.#evidence.get(report);
		if (evidence === undefined) {
			throw new RangeError('there is no evidence for this report');
		}

		return evidence;
	}

	async #write(bytes: Uint8Array): Promise<void> {
		await writeOutput(this.#file, bytes, {what, state: 'The run itself is complete, and its report is printed.'});
	}
}
