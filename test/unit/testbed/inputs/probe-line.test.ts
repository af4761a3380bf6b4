/** Lines of `testbed probe --batch`: valid ones, and the messages for invalid ones. */

import test from 'ava';
import {readProbeLine} from '../../../../testbed/inputs/probe-line.js';
import {TestbedError} from '../../../../testbed/errors.js';

test('only "to" must be there', t => {
	t.deepEqual(readProbeLine('{"to": "10.96.0.1:443"}', 'a, line 1'), {
		id: undefined, from: 'app', uid: undefined, gid: undefined, protocol: 'tcp', asked: '10.96.0.1:443', to: {address: '10.96.0.1', port: 443}, family: 'ipv4', source: undefined, sourcePort: undefined, mark: undefined, bindDevice: undefined,
	});
});

test('everything that a line can say', t => {
	const line = {
		id: ['any', 1], from: 'remote', uid: 1, gid: 4_294_967_294, proto: 'udp', to: 'pod:53', family: 'ipv6', source: '2001:DB8::7', sourcePort: 0, bindDevice: 'eth0', mark: 0xFF_FF_FF_FF,
	};
	t.deepEqual(readProbeLine(JSON.stringify(line), 'a, line 1'), {
		id: ['any', 1], from: 'remote', uid: 1, gid: 4_294_967_294, protocol: 'udp', asked: 'pod:53', to: {address: '2001:db8:1::10', port: 53}, family: 'ipv6', source: '2001:db8::7', sourcePort: 0, bindDevice: 'eth0', mark: 0xFF_FF_FF_FF,
	});
});

const wrong: ReadonlyArray<readonly [text: string, message: RegExp]> = [
	['{', /^a, line 7: this is not JSON(?: at column \d+)?\.$/u],
	['[]', /^a, line 7: expected an object\.$/u],
	['null', /^a, line 7: expected an object\.$/u],
	['{}', /"to" is missing: ADDRESS:PORT/u],
	['{"to": 80}', /"to" is 80: it must be ADDRESS:PORT/u],
	['{"to": "pod:0"}', /a, line 7: "to" is "pod:0": it must be ADDRESS:PORT, .*, with a port from 1/u],
	['{"to": "nowhere:80"}', /a, line 7: "to" is "nowhere:80": "nowhere" is neither an address nor a place/u],
	['{"to": "10.0.0.1:80", "family": "ipv6"}', /is an address of ipv4, but "family" asks for ipv6/u],
	['{"to": "10.0.0.1:80", "family": "both"}', /"family" is "both": it must be one of ipv4, ipv6/u],
	['{"to": "pod:80", "from": "waypoint"}', /"from" is "waypoint": it must be one of app, proxy, agent/u],
	['{"to": "pod:80", "proto": "sctp"}', /"proto" is "sctp": it must be one of tcp, udp/u],
	['{"to": "pod:80", "uid": "root"}', /"uid" is "root": it must be a whole number from 0 to 4294967294/u],
	['{"to": "pod:80", "gid": 4294967295}', /"gid" is 4294967295/u],
	['{"to": "pod:80", "mark": -1}', /"mark" is -1: it must be a whole number from 0 to 4294967295/u],
	['{"to": "pod:80", "sourcePort": 65536}', /"sourcePort" is 65536: it must be a whole number from 0 to 65535/u],
	['{"to": "pod:80", "source": "::1"}', /a, line 7: "source" is "::1": it must be an address of ipv4/u],
	['{"to": "pod:80", "bindDevice": ""}', /"bindDevice" is "": it must be one of lo, eth0/u],
	['{"to": "pod:80", "uids": 1}', /"uids" is not a key of a probe\. Did you mean uid\?/u],
	['{"to": "pod:80", "bindDevice": "nosuch0"}', /"bindDevice" is "nosuch0": it must be one of lo, eth0\.$/u],
	['{"to": "pod:80", "bindDevice": "etho"}', /it must be one of lo, eth0\. Did you mean eth0\?$/u],
	['{"to": "remot:80"}', /"remot" is neither an address nor a place\. Did you mean remote\?$/u],
	['{"to": "pod:80", "family": "v6"}', /it must be one of ipv4, ipv6\. Did you mean ipv6\?$/u],
];

for (const [text, message] of wrong) {
	test(`refused: ${text}`, t => {
		const error = t.throws(() => readProbeLine(text, 'a, line 7'), {instanceOf: TestbedError, message});
		t.is(error?.code, 'INPUT');
	});
}

test('a misspelled key: all that there are', t => {
	const hintOf = (key: string) => t.throws(() => readProbeLine(JSON.stringify({to: 'pod:80', [key]: 1}), 'a'), {instanceOf: TestbedError})?.hint ?? '';
	t.regex(hintOf('uids'), /^Keys are id, from, to, /u);
	t.regex(hintOf('waypoint'), /^Keys are id, from, to, /u);
});
