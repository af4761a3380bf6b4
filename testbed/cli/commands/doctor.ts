/**
`testbed doctor`.
*/

import {doctorJsonVersion, type DoctorDocument} from '../../../src/report/doctor-schema.js';
import {hang} from '../../../src/report/terminal/wrap.js';
import {abilitiesOf, type Ability} from '../../doctor/abilities.js';
import {diagnose} from '../../doctor/doctor.js';
import type {Finding} from '../../doctor/check.js';
import {exitStatusOf} from '../../errors.js';
import {writeOut} from '../../system/streams.js';
import {foundWall} from '../become-root.js';
import {untilSignal} from '../signals.js';

/** Width of the output, in columns. */
const width = 80;

const lines = (texts: readonly string[]): string => texts.map(text => `${text}\n`).join('');

function label(mark: string, text: string, indent = 0): string {
	return lines(hang({
		indent, label: mark, column: mark.length + 1, text, width,
	}));
}

/** The passed checks of a group as one paragraph, then each failed check with its reason. */
function printGroup(findings: readonly Finding[]): string {
	const [{group} = {group: ''}] = findings;
	const well = findings.filter(({ok}) => ok);
	const names = well.map(({what}) => what.startsWith(`${group}: `) ? what.slice(group.length + 2) : what);
	return [
		...(well.length === 0 ? [] : [label('✔', `${group} (${well.length} of ${findings.length}): ${names.join('; ')}`)]),
		...findings.filter(({ok}) => !ok).map(({what, needs, reason, fix}) => [
			label('✖', what), label('needs', needs, 4), ...(reason ?? '').trim().split('\n').filter(line => line !== '').map(line => label('', line, 3)), `    → ${fix}\n`,
		].join('')),
	].join('');
}

/** Which commands would not work. */
export function printAbilities(abilities: readonly Ability[]): string {
	const broken = abilities.filter(({ok}) => !ok);
	if (broken.length === 0) {
		return '\nEvery command works on every back end.\n';
	}

	return `\nThese would not work on this machine:\n${broken.map(({what, backend, because, fix}) => [
		label('✖', `${what}${backend === null ? '' : `, on ${backend}`}`, 2),
		label('no', because.map(one => one.startsWith(`${backend}, `) || one.startsWith(`${backend}: `) ? one.slice(backend!.length + 2) : one).join('; '), 6),
		...fix.map(one => `      → ${one}\n`),
	].join('')).join('')}`;
}

/** What was found, as JSON. */
export function documentOf(findings: readonly Finding[], commands: readonly Ability[]): DoctorDocument {
	// JSON has no undefined: leave the key out.
	return {version: doctorJsonVersion, findings: findings.map(({reason, ...rest}) => reason === undefined ? rest : {...rest, reason}), commands};
}

/**
Tries everything that the commands need and prints what is missing; returns the exit status.

@throws {TestbedError} INPUT if standard output cannot be written, INTERRUPTED after a signal.
*/
export async function doctorCommand(format: 'text' | 'json'): Promise<number> {
	return untilSignal(async signal => {
		const written: Array<Promise<readonly [PromiseSettledResult<boolean>]>> = [];
		let group: Finding[] = [];
		const flush = (): void => {
			// The signal may have killed a tool, so results after it say nothing about the machine.
			if (format === 'text' && !signal.aborted) {
				written.push(Promise.allSettled([writeOut(printGroup(group))]));
			}

			group = [];
		};

		const findings = await diagnose(finding => {
			if (group.length > 0 && group[0]!.group !== finding.group) {
				flush();
			}

			group.push(finding);
		}, {wall: foundWall()});
		signal.throwIfAborted();
		flush();
		for (const [result] of await Promise.all(written)) {
			if (result.status === 'rejected') {
				throw result.reason as Error;
			}
		}

		const missing = findings.filter(({ok}) => !ok);
		const abilities = abilitiesOf(findings);
		await writeOut(format === 'json'
			? `${JSON.stringify(documentOf(findings, abilities), undefined, 2)}\n`
			: `${printAbilities(abilities)}\n${findings.length - missing.length} of ${findings.length} checks passed.${missing.length === 0 ? '' : ` Fix this first: ${missing[0]!.fix}`}\n`);
		return missing.length === 0 ? 0 : exitStatusOf.MACHINE;
	});
}
