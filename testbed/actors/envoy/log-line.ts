/**
The lines of Envoy's access log: what Envoy is told to write, and what a line says. Nothing is guessed: a line that does not have this form is an error.
*/

import {shortAddress} from '../../../src/netfilter/address.js';
import type {Endpoint} from '../../../src/netfilter/path.js';
import {
	atLeast, count, oneOf, orNull, text, textOf, type DataOf,
} from '../../../src/parsing/schema.js';
import {printComplaint, validate} from '../../../src/parsing/validate.js';

/** What Envoy is told to write, as a JSON object a line: command operators by our names for them. The listener is its number in the spec. */
export function logFormatOf(listener: number): Readonly<Record<string, string>> {
	return {
		listener: String(listener),
		event: '%ACCESS_LOG_TYPE%',
		id: '%CONNECTION_ID%',
		peer: '%DOWNSTREAM_REMOTE_ADDRESS%',
		local: '%DOWNSTREAM_DIRECT_LOCAL_ADDRESS%',
		wanted: '%DOWNSTREAM_LOCAL_ADDRESS%',
		from: '%UPSTREAM_LOCAL_ADDRESS%',
		to: '%UPSTREAM_HOST%',
		flags: '%RESPONSE_FLAGS%',
		failure: '%UPSTREAM_TRANSPORT_FAILURE_REASON%',
	};
}

const line = atLeast({
	listener: textOf(/^\d+$/, 'the number of a listener'),
	event: oneOf(['TcpUpstreamConnected', 'TcpConnectionEnd', 'NotSet']),
	id: count,
	peer: text,
	local: text,
	wanted: text,
	from: orNull(text),
	to: orNull(text),
	flags: orNull(text),
	failure: orNull(text),
});

/** What is the same in every line of a connection that Envoy accepted. */
type Accepted = {readonly listener: number; readonly peer: Endpoint; readonly local: Endpoint; readonly wanted: Endpoint};

/** One line, read. `from` and `to` are those of the connection onward, as far as the line names them. */
export type LogEntry = Accepted & {
	readonly id: number;
	readonly event: DataOf<typeof line>['event'];
	readonly from: Endpoint | undefined;
	readonly to: Endpoint | undefined;
	readonly flags: readonly string[];
	readonly failure: string;
};

/** Reads a line, or says what is wrong with it. */
export function parseLogLine(text: string): LogEntry | {readonly complaint: string} {
	let data: unknown;
	try {
		data = JSON.parse(text);
	} catch {
		return {complaint: 'it is not JSON'};
	}

	const result = validate(line, data);
	if (!('value' in result)) {
		return {complaint: printComplaint(result.complaints[0], 'line')};
	}

	const {listener, event, id, flags, failure, ...given} = result.value;
	const ends = (['peer', 'local', 'wanted', 'from', 'to'] as const).map(name => [name, given[name], given[name] === null ? undefined : parseEndpoint(given[name])] as const);
	const bad = ends.find(([, written, end]) => written !== null && end === undefined);
	if (bad !== undefined) {
		return {complaint: `${bad[0]} is ${JSON.stringify(bad[1])}, and that is not an address with a port`};
	}

	return {
		...Object.fromEntries(ends.map(([name, , end]) => [name, end])) as Pick<LogEntry, 'peer' | 'local' | 'wanted' | 'from' | 'to'>,
		listener: Number(listener),
		event,
		id,
		flags: flags?.split(',') ?? [],
		// Envoy writes underscores for blanks.
		failure: failure?.replaceAll('_', ' ') ?? '',
	};
}

/** `10.0.0.1:80`, `[2001:db8::1]:80`. */
function parseEndpoint(text: string): Endpoint | undefined {
	const {v4, v6, port} = /^(?:(?<v4>[\d.]+)|\[(?<v6>[\da-f:.]+)\]):(?<port>\d{1,5})$/iu.exec(text)?.groups ?? {};
	const address = shortAddress(v4 ?? v6 ?? '');
	return address === undefined || Number(port) > 0xFF_FF ? undefined : {address, port: Number(port)};
}
