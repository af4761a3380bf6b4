/** Envoy's access log as records of sockets. */

import test from 'ava';
import {loopStops, type SocketRecord} from '../../../../../src/trace/sockets.js';
import {AccessLog} from '../../../../../testbed/actors/envoy/access-log.js';
import type {ActorSpec} from '../../../../../testbed/actors/protocol.js';
import {failedLine, lineOf, proxySpec} from './_log.js';

/** What lines come to: records in short, and problems. */
function read(lines: readonly string[], spec: Partial<ActorSpec> = {}): {readonly records: readonly SocketRecord[]; readonly problems: readonly string[]; readonly connections: number} {
	const records: SocketRecord[] = [];
	const problems: string[] = [];
	const log = new AccessLog(proxySpec(spec), {
		onRecord(record) {
			records.push(record);
		},
		onTrouble(message) {
			problems.push(message);
		},
	});
	for (const line of lines) {
		log.take(line);
	}

	log.finish();
	return {records, problems, connections: log.connections};
}

/** A record in short. */
function brief(record: SocketRecord): string {
	const at = ({address, port}: {readonly address: string; readonly port: number}): string => `${address} ${port}`;
	switch (record.kind) {
		case 'accepted': {
			const {id, stop, peer, local, originalDestination, handedTo} = record;
			return `${id} accepted ${at(peer)} > ${at(local)} by ${stop}${handedTo === undefined ? '' : ` for ${handedTo}`}${originalDestination === undefined ? '' : ` to ${at(originalDestination)}`}`;
		}

		case 'opened': {
			return `${record.id} of ${record.parent} opened ${at(record.from)} > ${at(record.to)}`;
		}

		case 'attempted': {
			return `${record.id} of ${record.parent} attempted ${at(record.to)}`;
		}

		case 'ended': {
			return `${record.id} ${record.result}${record.reason === '' ? '' : `: ${record.reason}`}`;
		}

		case 'cut': {
			return `${record.id} cut: ${record.reason}`;
		}

		case 'unsent':
		case 'watched': {
			return record.kind;
		}
	}
}

const end = lineOf({event: 'TcpConnectionEnd'});
const accepted = 'proxy-3 accepted 10.244.1.10 40000 > 127.0.0.1 15001 by proxy:15001 to 10.244.1.20 8080';
const carried = [accepted, 'proxy-3-next of proxy-3 opened 10.244.1.10 40001 > 10.244.1.20 8080', 'proxy-3-next connected'];
const failedWith = (end_: string): readonly string[] => [accepted, 'proxy-3-next of proxy-3 attempted 10.244.1.20 8080', `proxy-3-next ${end_}`];
const inbound = {
	listener: '1', peer: '10.244.1.20:5', local: '10.244.1.10:15006', wanted: '10.244.1.10:8080', from: '127.0.0.6:7', to: '10.244.1.10:8080',
};
const closed = {
	event: 'TcpConnectionEnd', from: null, to: null, flags: 'UH', wanted: '10.244.1.20:15001',
};

type Case = {readonly title: string; readonly lines: readonly string[]; readonly records?: readonly string[]; readonly problems?: readonly RegExp[]; readonly spec?: Partial<ActorSpec>};

const cases: readonly Case[] = [
	{title: 'carried on', lines: [lineOf()], records: carried},
	{title: 'carried on, and over', lines: [lineOf(), end], records: carried},
	{title: 'over before its line of establishment could be written says as much', lines: [failedLine(null)], records: failedWith('timeout: no answer within 5000 ms')},
	{title: 'refused', lines: [failedLine('delayed_connect_error:_Connection_refused')], records: failedWith('refused: delayed connect error: Connection refused')},
	{title: 'refused at once', lines: [failedLine('immediate_connect_error:_Connection_refused|remote_address:10.244.1.20:8080')], records: failedWith('refused: immediate connect error: Connection refused|remote address:10.244.1.20:8080')},
	{title: 'no route', lines: [failedLine('immediate_connect_error:_Network_is_unreachable|remote_address:10.244.1.20:8080')], records: failedWith('unreachable: immediate connect error: Network is unreachable|remote address:10.244.1.20:8080')},
	{title: 'no answer: the line need not name where it went', lines: [failedLine('connection_timeout', {to: null})], records: failedWith('timeout: no answer within 5000 ms')},
	{
		title: 'its source cannot be bound', lines: [failedLine('failed_to_bind_to_127.0.0.6:0:_Cannot_assign_requested_address', {...inbound, from: null, flags: 'URX'})], records: [
			'proxy-3 accepted 10.244.1.20 5 > 10.244.1.10 15006 by proxy:15006 to 10.244.1.10 8080', 'proxy-3-next of proxy-3 attempted 10.244.1.10 8080', 'proxy-3-next unreachable: failed to bind to 127.0.0.6:0: Cannot assign requested address', 'proxy-3-next cut: no-source',
		],
	},
	{title: 'to its own port', lines: [lineOf(closed)], records: ['proxy-3 accepted 10.244.1.10 40000 > 127.0.0.1 15001 by proxy:15001 to 10.244.1.20 15001', 'proxy-3 cut: own-port']},
	{title: 'to its own port, and not closed', lines: [lineOf({...closed, flags: 'UF'})], records: ['proxy-3 accepted 10.244.1.10 40000 > 127.0.0.1 15001 by proxy:15001 to 10.244.1.20 15001'], problems: [/should have closed a connection to its own port 15001, and did something else with it \(UF\)/]},
	{title: 'a service', lines: [lineOf({wanted: '10.96.1.10:8080', to: '10.244.1.10:8080'})], records: ['proxy-3 accepted 10.244.1.10 40000 > 127.0.0.1 15001 by proxy:15001 to 10.96.1.10 8080', 'proxy-3-next of proxy-3 opened 10.244.1.10 40001 > 10.244.1.10 8080', 'proxy-3-next connected']},
	{title: 'an answer of its own', lines: [lineOf({...closed, listener: '3', local: '127.0.0.1:15000', wanted: '127.0.0.1:15000', event: 'NotSet'})], records: ['proxy-3 accepted 10.244.1.10 40000 > 127.0.0.1 15000 by proxy:15000']},
	{
		title: 'handed over by the outbound listener', lines: [lineOf({listener: '2', wanted: '10.244.1.20:15090', to: '127.0.0.1:15000'})], records: [
			'proxy-3 accepted 10.244.1.10 40000 > 127.0.0.1 15001 by proxy:15001 for proxy:15090', 'proxy-3-next of proxy-3 opened 10.244.1.10 40001 > 127.0.0.1 15000', 'proxy-3-next connected',
		],
	},
	{
		title: 'captured by TPROXY: the local end is where it wanted to go', spec: {transparent: {mark: 1337, marksOutbound: false}}, lines: [lineOf({...inbound, local: '10.244.1.10:8080', from: '10.244.1.20:9'})], records: [
			'proxy-3 accepted 10.244.1.20 5 > 10.244.1.10 8080 by proxy:15006 to 10.244.1.10 8080', 'proxy-3-next of proxy-3 opened 10.244.1.20 9 > 10.244.1.10 8080', 'proxy-3-next connected',
		],
	},
	// What does not fit.
	{title: 'not a line', lines: ['garbage', lineOf()], records: carried, problems: [/^Envoy, which is proxy, wrote a line to its access log that is not understood \(it is not JSON\): "garbage"\.$/]},
	{title: 'a line cut short', lines: [lineOf().slice(0, 50)], problems: [/not understood/]},
	{title: 'a listener that the spec does not have', lines: [lineOf({listener: '9'})], problems: [/by its listener 9, which does not listen there/]},
	{title: 'a listener at another end', lines: [lineOf({...inbound, local: '10.244.1.10:15007'})], problems: [/accepted a connection at 10\.244\.1\.10:15007 by its listener 1, which does not listen there/]},
	{title: 'twice established', lines: [lineOf(), lineOf()], records: carried, problems: [/reports twice the connection 3 from 10\.244\.1\.10:40000/]},
	{title: 'twice over', lines: [lineOf(), end, end], records: carried, problems: [/reports twice/]},
	{title: 'over, and established after that', lines: [failedLine(null), lineOf()], records: failedWith('timeout: no answer within 5000 ms'), problems: [/reports twice/]},
	{title: 'over, and never established, with an own end', lines: [end], records: [accepted], problems: [/reports the end of a connection from 10\.244\.1\.10:40001 to 10\.244\.1\.20:8080 in its access log, and not that it was established/]},
	{title: 'another peer than before', lines: [lineOf(), lineOf({event: 'TcpConnectionEnd', peer: '10.244.1.10:40009'})], records: carried, problems: [/contradicts itself about the connection 3/]},
	{title: 'another destination than it was configured to have', lines: [lineOf({to: '10.244.1.21:8080'})], records: [accepted], problems: [/carried on a connection to 10\.244\.1\.20:8080 to 10\.244\.1\.21:8080, and was configured to carry it on to 10\.244\.1\.20:8080/]},
	{title: 'established without an own end', lines: [lineOf({from: null})], records: [accepted], problems: [/does not name its own end of a connection to 10\.244\.1\.20:8080/]},
];

for (const {title, lines, records = [], problems = [], spec} of cases) {
	test(title, t => {
		const seen = read(lines, spec);
		t.deepEqual(seen.records.map(record => brief(record)), records);
		t.is(seen.problems.length, problems.length, seen.problems.join('\n'));
		for (const [index, pattern] of problems.entries()) {
			t.regex(seen.problems[index]!, pattern);
		}
	});
}

/** A flow that loops: each connection onward is the next one accepted. */
const round = Array.from({length: loopStops + 1}, (_, index) => lineOf({...inbound, id: index, peer: `127.0.0.6:${index}`, from: `127.0.0.6:${index + 1}`}));
const overLimit = (peer: string): string => lineOf({
	...inbound, event: 'TcpConnectionEnd', id: 99, peer, from: null, to: null, flags: 'UO',
});

test('Envoy\'s limit of connections, reached by a loop: a loop, even if the last line comes first', t => {
	for (const lines of [[...round, overLimit(`127.0.0.6:${loopStops + 1}`)], [overLimit(`127.0.0.6:${loopStops + 1}`), ...round]]) {
		const {records, problems} = read(lines);
		t.deepEqual(records.filter(({kind}) => kind === 'cut').map(record => brief(record)), ['proxy-99 cut: loop']);
		t.deepEqual(problems, []);
	}
});

test('Envoy\'s limit of connections, reached by others: not a loop, and the end is unknown', t => {
	const {records} = read([...round, overLimit('10.244.1.20:77')]);
	t.deepEqual(records.slice(-2).map(record => brief(record)), ['proxy-99-next of proxy-99 attempted 10.244.1.10 8080', 'proxy-99-next timeout: Envoy had as many connections open as it may']);
});

test('how many connections the lines tell of', t => {
	t.is(read([lineOf(), end, lineOf({id: 4, peer: '10.244.1.10:40009'}), 'garbage']).connections, 2);
});
