/**
The command that sends one representative again, so that somebody can look at it alone.
*/

import type {Representative} from '../../packet-classes/representatives.js';
import {
	fieldList, optionOf, printFieldValue, type ProbeInput,
} from '../../scenario/probe-spec.js';
import type {RulesSummary} from '../shared-types.js';
import {quote} from './shell-quote.js';

/** A command line of `testbed probe`, for a shell. What has a field without an option goes as a line of a batch. `more`: arguments without which the rules or the proxy would be others. */
export function printReplay(probe: Representative, {source, backend}: Pick<RulesSummary, 'source' | 'backend'>, more: readonly string[] = []): string {
	const rules = [`--rules ${quote(source)} --backend ${backend}`, ...more.map(word => quote(word))].join(' ');
	const values: Readonly<Record<string, unknown>> = inputOf(probe);
	const asked = fieldList.filter(({key}) => values[key] !== undefined);
	if (asked.some(({option}) => option === undefined)) {
		return `echo ${quote(JSON.stringify(Object.fromEntries(asked.map(({key}) => [key, values[key]]))))} | testbed probe ${rules} --batch - --follow`;
	}

	const words = asked
		.filter(({name, key, standard}) => name === 'from' || values[key] !== standard)
		.map(field => `${optionOf(field.key)} ${quote(printFieldValue(field, values[field.key]))}`);
	return `testbed probe ${rules} ${words.join(' ')}`;
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
