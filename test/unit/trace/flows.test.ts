import test from 'ava';
import {parseFlows} from '../../../src/trace/flows.js';

// As Linux 6.18 prints them.
const text = `ipv4     2 udp      17 29 src=10.244.1.10 dst=10.96.0.10 sport=45326 dport=53 src=127.0.0.1 dst=10.244.1.10 sport=15053 dport=45326 mark=0 zone=2 use=2
ipv4     2 tcp      6 9 CLOSE src=10.244.1.10 dst=10.244.1.20 sport=54694 dport=53 [UNREPLIED] src=10.244.1.20 dst=10.244.1.10 sport=53 dport=54694 mark=0 zone-orig=7 use=2
ipv6     10 udp      17 29 src=2001:0db8:0001:0000:0000:0000:0000:0010 dst=2001:0db8:0096:0000:0000:0000:0000:000a sport=1 dport=53 src=2001:0db8:0096:0000:0000:0000:0000:000a dst=2001:0db8:0001:0000:0000:0000:0000:0010 sport=53 dport=1 [ASSURED] mark=0 use=2
ipv4     2 icmp     1 29 src=10.0.0.1 dst=10.0.0.2 type=8 code=0 id=1 src=10.0.0.2 dst=10.0.0.1 type=0 code=0 id=1 mark=0 zone=0 use=2
`;

test('entries of TCP and UDP, with the zone of what was sent and whether an answer came', t => {
	t.deepEqual(parseFlows(text), {
		flows: [
			{
				family: 'ipv4', protocol: 'udp', source: {address: '10.244.1.10', port: 45_326}, destination: {address: '10.96.0.10', port: 53}, reply: {source: {address: '127.0.0.1', port: 15_053}, destination: {address: '10.244.1.10', port: 45_326}}, zone: 2, isReplied: true,
			},
			{
				family: 'ipv4', protocol: 'tcp', source: {address: '10.244.1.10', port: 54_694}, destination: {address: '10.244.1.20', port: 53}, reply: {source: {address: '10.244.1.20', port: 53}, destination: {address: '10.244.1.10', port: 54_694}}, zone: 7, isReplied: false,
			},
			{
				family: 'ipv6', protocol: 'udp', source: {address: '2001:db8:1::10', port: 1}, destination: {address: '2001:db8:96::a', port: 53}, reply: {source: {address: '2001:db8:96::a', port: 53}, destination: {address: '2001:db8:1::10', port: 1}}, zone: 0, isReplied: true,
			},
		],
		notUnderstood: [],
	});
});

test('no entry, and a line that is not one', t => {
	t.deepEqual(parseFlows(''), {flows: [], notUnderstood: []});
	t.deepEqual(parseFlows('conntrack v9: something else\n'), {flows: [], notUnderstood: ['conntrack v9: something else']});
});

test('only connections from the given ports, but every line that is no entry', t => {
	const lines = [
		'ipv4     2 tcp      6 119 TIME_WAIT src=10.244.1.10 dst=10.244.1.20 sport=40000 dport=8080 src=127.0.0.1 dst=10.244.1.10 sport=15001 dport=40000 [ASSURED] mark=0 zone=0 use=2',
		'ipv4     2 tcp      6 119 TIME_WAIT src=10.244.1.10 dst=10.244.1.20 sport=40001 dport=40000 src=10.244.1.20 dst=10.244.1.10 sport=40000 dport=40001 [ASSURED] mark=0 zone=0 use=2',
		'ipv4     2 icmp     1 29 src=10.244.1.10 dst=10.244.1.20 type=8 code=0 id=1 src=10.244.1.20 dst=10.244.1.10 type=0 code=0 id=1 mark=0 zone=0 use=2',
		'conntrack v9: something else',
		'',
	].join('\n');
	const {flows, notUnderstood} = parseFlows(lines, {ports: new Set([40_000])});
	t.deepEqual(flows.map(({source}) => source.port), [40_000]);
	t.deepEqual(notUnderstood, ['conntrack v9: something else']);
	t.deepEqual(parseFlows(lines, {ports: new Set()}).flows, []);
});
