/**
The command that sends one representative again, to look at it alone.
*/

import type {Representative} from '../../packet-classes/representatives.js';
import {
	fieldList, optionOf, printFieldValue, type ProbeInput,
} from '../../scenario/probe-spec.js';
import type {RulesSummary} from '../shared-types.js';
import {quote} from './shell-quote.js';

/** How the testbed is called if the caller does not say otherwise: in documents, which are read on other machines. */
export const usualProgram = 'testbed';

/** A `testbed probe` command line for a shell. A probe with a field that has no option becomes a line of a batch. `more`: arguments without which the rules or the proxy would be different. `program`: how the testbed is called. */
export function printReplay(probe: Representative, {source, backend}: Pick<RulesSummary, 'source' | 'backend'>, {more = [], program = usualProgram}: {readonly more?: readonly string[]; readonly program?: string | undefined} = {}): string {
	const rules = [`--rules ${quote(source)} --backend ${backend}`, ...more.map(word => quote(word))].join(' ');
	const values: Readonly<Record<string, unknown>> = inputOf(probe);
	const asked = fieldList.filter(({key}) => values[key] !== undefined);
	if (asked.some(({option}) => option === undefined)) {
		return `echo ${quote(JSON.stringify(Object.fromEntries(asked.map(({key}) => [key, values[key]]))))} | ${program} probe ${rules} --batch - --follow`;
	}

	const words = asked
		.filter(({name, key, standard}) => name === 'from' || values[key] !== standard)
		.map(field => `${optionOf(field.key)} ${quote(printFieldValue(field, values[field.key]))}`);
	return `${program} probe ${rules} ${words.join(' ')}`;
}

/** A representative as a user would write it. */
function inputOf({index: _, kind: _kind, packet: _packet, origin, family, destination: {address, port}, protocol: proto, uid, gid, ...same}: Representative): ProbeInput {
	return {
		...same,
		from: origin === 'pod' ? 'app' : 'remote',
		to: family === 'ipv6' ? `[${address}]:${port}` : `${address}:${port}`,
		proto,
		...(uid === undefined ? {} : {uid, gid: gid ?? uid}),
	};
}
