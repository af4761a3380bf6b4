/**
Keeps what reports are made of while a run goes on, and writes it when all is over.
*/

import {
	closeSync, existsSync, openSync, unlinkSync, writeFileSync,
} from 'node:fs';
import type {RunEntry, Runs} from '../src/report/runs.js';
import type {Report} from '../src/report/types.js';
import {TestbedError} from './errors.js';
import type {RunEvidence} from './judging.js';
import {printRecording, type RecordedEntry} from './recording-file.js';

/** The recording of one command. */
export class Recorder {
	/**
	Sees to it that the file can be written, before anything is run: nobody wants to hear so afterwards. What the file held stays until there is something to put in its place.

	@throws {TestbedError} INPUT when it cannot.
	*/
	static create(file: string): Recorder {
		try {
			if (existsSync(file)) {
				closeSync(openSync(file, 'a'));
			} else {
				closeSync(openSync(file, 'ax'));
				unlinkSync(file);
			}
		} catch (error) {
			throw notWritable(file, error, 'Nothing was run.');
		}

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

	/** Writes the recording of one run. */
	writeRun(report: Report): void {
		this.#write(printRecording({what: 'run', entries: [{kind: 'evidence', evidence: this.#evidenceOf(report)}]}));
	}

	/** Writes the recording of many, in the order of their report. */
	writeRuns({entries, durationMs}: Runs): void {
		this.#write(printRecording({what: 'runs', entries: entries.map(entry => this.#recorded(entry)), durationMs}));
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

	#write(bytes: Uint8Array): void {
		try {
			writeFileSync(this.#file, bytes);
		} catch (error) {
			throw notWritable(this.#file, error, 'The run itself had ended, and its report is printed.');
		}
	}
}

function notWritable(file: string, cause: unknown, state: string): TestbedError {
	return new TestbedError('INPUT', {message: `The recording cannot be written to ${file}: ${(cause as Error).message}`, state, cause});
}
