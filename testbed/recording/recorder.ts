/**
Keeps what reports are made of while a run goes on, and writes it when all is over.
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
	Sees to it that the file can be written, before anything is run: nobody wants to hear so afterwards. What the file held stays until there is something to put in its place.

	@throws {TestbedError} INPUT when it cannot.
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

	/** Keeps what a report is made of. */
	note(report: Report, evidence: RunEvidence): void {
		this.#evidence.set(report, evidence);
	}

	/**
	Writes the recording of one run.

	@throws {TestbedError} INPUT when it cannot be written.
	*/
	async writeRun(report: Report): Promise<void> {
		await this.#write(printRecording({what: 'run', entries: [{kind: 'evidence', evidence: this.#evidenceOf(report)}]}));
	}

	/**
	Writes the recording of many, in the order of their report.

	@throws {TestbedError} INPUT when it cannot be written.
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
			throw new RangeError('nobody noted what this report is made of');
		}

		return evidence;
	}

	async #write(bytes: Uint8Array): Promise<void> {
		await writeOutput(this.#file, bytes, {what, state: 'The run itself had ended, and its report is printed.'});
	}
}
