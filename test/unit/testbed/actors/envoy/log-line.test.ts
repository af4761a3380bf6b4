/** The lines of Envoy's access log. */

import test from 'ava';
import {logFormatOf, parseLogLine} from '../../../../../testbed/actors/envoy/log-line.js';
import {failedLine, lineOf} from './_log.js';

test('a line of an established connection', t => {
	t.deepEqual(parseLogLine(lineOf()), {
		listener: 0,
		event: 'TcpUpstreamConnected',
		id: 3,
		peer: {address: '10.244.1.10', port: 40_000},
		local: {address: '127.0.0.1', port: 15_001},
		wanted: {address: '10.244.1.20', port: 8080},
		from: {address: '10.244.1.10', port: 40_001},
		to: {address: '10.244.1.20', port: 8080},
		flags: [],
		failure: '',
	});
});

test('a line of one that failed: blanks come as underscores', t => {
	const entry = parseLogLine(failedLine('delayed_connect_error:_Connection_refused', {wanted: '[2001:DB8:0::20]:8080', to: '[2001:db8::20]:8080'}));
	t.like(entry, {
		event: 'TcpConnectionEnd', from: undefined, flags: ['UF', 'URX'], failure: 'delayed connect error: Connection refused', wanted: {address: '2001:db8::20', port: 8080}, to: {address: '2001:db8::20', port: 8080},
	});
});

test('a later Envoy may say more', t => {
	t.false('complaint' in parseLogLine(`${lineOf().slice(0, -1)},"more":1}`));
});

/** What is not a line, with what is said of it. */
const bad: ReadonlyArray<readonly [text: string, complaint: RegExp]> = [
	['', /^it is not JSON$/],
	['[2026-11-29 09:49:17.252][7743][warning] something', /^it is not JSON$/],
	[lineOf().slice(0, -9), /^it is not JSON$/],
	[lineOf() + lineOf(), /^it is not JSON$/],
	['null', /expected/],
	['{}', /listener/],
	[lineOf({listener: 'x'}), /listener.*expected the number of a listener/],
	[lineOf({id: '3'}), /id.*expected/],
	[lineOf({id: -1}), /id.*expected/],
	[lineOf({event: 'DownstreamStart'}), /event.*expected/],
	[lineOf({peer: null}), /peer.*expected a string/],
	[lineOf({peer: '-'}), /^peer is "-", and that is not an address with a port$/],
	[lineOf({wanted: '10.244.1.20'}), /^wanted is/],
	[lineOf({local: '10.244.1.20:70000'}), /^local is/],
	[lineOf({from: '300.1.1.1:80'}), /^from is/],
	[lineOf({to: '2001:db8::1:80'}), /^to is/],
	[lineOf({to: '@internal/listener'}), /^to is/],
];

for (const [text, complaint] of bad) {
	test(`not understood: ${text === '' ? 'nothing' : text}`, t => {
		const result = parseLogLine(text);
		t.true('complaint' in result);
		t.regex('complaint' in result ? result.complaint : '', complaint);
	});
}

test('Envoy is told to write exactly what is read', t => {
	t.deepEqual(Object.keys(logFormatOf(0)).toSorted(), Object.keys(JSON.parse(lineOf()) as object).toSorted());
});
