/**
Collects what a bug report needs to say. Everything in it is also in its list of contents, which is printed before the file is written.
*/

import {Buffer} from 'node:buffer';
import type {Command} from 'commander';
import {bugReportVersion, type BugReport} from '../../../src/report/bug-report-schema.js';
import type {DoctorDocument} from '../../../src/report/doctor-schema.js';
import {abilitiesOf} from '../../doctor/abilities.js';
import {diagnose} from '../../doctor/doctor.js';
import {foundWall} from '../become-root.js';
import {documentOf} from '../commands/doctor.js';
import {shownOptions} from '../commands/config.js';
import {settableCommands, type NamedCommand} from '../config/settable.js';
import {findConfig, type Sources} from '../config/sources.js';
import {readFiles, type NamedFiles} from './files.js';
import {aboutMachine, variablesOf} from './machine.js';
import {Redactor, type PrivateNames, type Replaced} from './redact.js';

/** Where the parts come from. `program` is the whole command line, as definitions. */
export type Collecting = {
	readonly program: Command; readonly sources: Sources; readonly files: NamedFiles; readonly names: PrivateNames;
	/** Asks the machine; the doctor of this machine by default. */
	readonly askDoctor?: () => Promise<DoctorDocument>;
};

/**
Collects everything. What cannot be collected is named in `faults`.

@throws {TestbedError} as {@link readFiles}.
*/
export async function collectReport({program, sources, files: named, names, askDoctor = diagnosis}: Collecting): Promise<BugReport> {
	const redactor = new Redactor(names);
	// Files first: a wrong name is told before the machine is examined.
	const {files, faults: ofFiles} = readFiles(named, redactor);
	const faults = new Set(ofFiles);
	const tried = async <T>(what: string, act: () => T | Promise<T>, otherwise: T): Promise<T> => {
		try {
			return redactor.data(await act());
		} catch (error) {
			faults.add(redactor.text(`${what}: ${error instanceof Error ? error.message : String(error)}`));
			return otherwise;
		}
	};

	const about = redactor.data(await aboutMachine());
	const file = await tried('The configuration file', () => findConfig(sources.folder, sources.environment) ?? null, null);
	const options: Array<BugReport['settings']['options'][number]> = [];
	for (const one of settableCommands(program)) {
		options.push(...await tried('The settings', () => setOptions(one, sources), [])); // eslint-disable-line no-await-in-loop -- Nothing to wait for.
	}

	const settings = {file, options};
	const variables = redactor.data(variablesOf(sources.environment));
	const doctor = await tried<DoctorDocument | null>('The doctor', askDoctor, null);
	const parts = {
		about, doctor, settings, variables, files, faults: [...faults], replaced: {...redactor.replaced},
	};
	return {version: bugReportVersion, contents: contentsOf(parts), ...parts};
}

async function diagnosis(): Promise<DoctorDocument> {
	const findings = await diagnose(undefined, {wall: foundWall()});
	return documentOf(findings, abilitiesOf(findings));
}

/** The options of a command that a file or a variable sets. */
function setOptions({name, command}: NamedCommand, sources: Sources): BugReport['settings']['options'] {
	return shownOptions(command, sources).flatMap(({option, value, from}) => from === null || from === 'default'
		? []
		: [{
			command: name, option, value, from,
		}]);
}

/** A report without its list of contents. */
type Parts = Omit<BugReport, 'version' | 'contents'>;

/** One line for each part, and for each file. */
function contentsOf({about, doctor, settings, variables, files, faults, replaced}: Parts): readonly string[] {
	const sizeOf = (value: unknown): string => `${Buffer.byteLength(typeof value === 'string' ? value : JSON.stringify(value)).toLocaleString('en-US')} bytes`;
	const names = Object.keys(variables);
	return [
		`about: versions of the testbed, Node, the kernel, the distribution and the tools (${sizeOf(about)})`,
		doctor === null ? 'doctor: nothing' : `doctor: what testbed doctor says, ${doctor.findings.filter(({ok}) => ok).length} of ${doctor.findings.length} checks passed (${sizeOf(doctor)})`,
		`settings: ${settings.file ?? 'no configuration file'}, ${settings.options.length} options set by a file or a variable (${sizeOf(settings)})`,
		`variables: ${names.length === 0 ? 'none' : names.join(', ')} (${sizeOf(variables)})`,
		...files.map(({name, what, text}) => `files: ${name}, ${what} (${sizeOf(text)})`),
		...(files.length === 0 ? ['files: none'] : []),
		...faults.map(fault => `faults: ${fault.replaceAll('\n', ' ')}`),
		`replaced: ${describeReplaced(replaced)}`,
	];
}

function describeReplaced({homes, users, hosts, folders}: Replaced): string {
	const all = [
		{what: 'home folders', instead: '~', times: homes}, {what: 'user names', instead: 'USER', times: users}, {what: 'host names', instead: 'HOST', times: hosts}, {what: 'this folder', instead: '.', times: folders},
	].filter(({times}) => times > 0).map(({what, instead, times}) => `${what} by ${instead} (${times} times)`);
	return all.length === 0 ? 'nothing' : all.join(', ');
}
