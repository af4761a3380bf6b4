import test from 'ava';
import {TestbedError} from '../../../../testbed/errors.js';
import {invalidChains} from '../../../../src/trace/packets.js';
import {parseOwners, traceTableText} from '../../../../testbed/tracer/trace-table.js';
import {traceTable} from '../../../../testbed/sandbox/own-table.js';
import {readRecording} from '../../../helpers/recordings.js';

const listing = (...entries: readonly unknown[]): string => JSON.stringify({nftables: [{metainfo: {version: '1.0.6'}}, {table: {family: 'inet', name: traceTable}}, ...entries]});
const owners = (...elements: ReadonlyArray<readonly unknown[]>): unknown => ({
	set: {
		family: 'inet', name: 'owners', table: traceTable, elem: elements.map(concat => ({concat})),
	},
});

test('owners by family, ports, user and group; nft writes family and protocol as names or numbers, and recordings from before UDP have no protocol', t => {
	t.deepEqual(parseOwners(listing(owners(['ipv4', 'tcp', 40_000, 8080, 1000, 1001], [2, 17, 1, 2, 3, 4], ['ipv6', 6, 5, 6, 0, 0], [10, 'udp', 7, 8, 4_294_967_294, 9], [2, 9, 10, 11, 12]))), [
		{
			family: 'ipv4', protocol: 'tcp', sourcePort: 40_000, destinationPort: 8080, uid: 1000, gid: 1001,
		},
		{
			family: 'ipv4', protocol: 'udp', sourcePort: 1, destinationPort: 2, uid: 3, gid: 4,
		},
		{
			family: 'ipv6', protocol: 'tcp', sourcePort: 5, destinationPort: 6, uid: 0, gid: 0,
		},
		{
			family: 'ipv6', protocol: 'udp', sourcePort: 7, destinationPort: 8, uid: 4_294_967_294, gid: 9,
		},
		{
			family: 'ipv4', protocol: 'tcp', sourcePort: 9, destinationPort: 10, uid: 11, gid: 12,
		},
	]);
});

const none: ReadonlyArray<readonly [title: string, text: string]> = [
	['no set', listing()],
	['an empty set', listing({set: {family: 'inet', name: 'owners', table: traceTable}})],
	['a set of that name in another table', listing({set: {family: 'ip', name: 'owners', table: 'nat', elem: [{concat: ['ipv4', 1, 2, 3, 4]}]}})],
	['another set of the table', listing({set: {family: 'inet', name: 'others', table: traceTable, elem: [{concat: ['ipv4', 1, 2, 3, 4]}]}})],
];

for (const [title, text] of none) {
	test(`no owners: ${title}`, t => {
		t.deepEqual(parseOwners(text), []);
	});
}

const broken: ReadonlyArray<readonly [title: string, concat: readonly unknown[]]> = [
	['a user by name, as without -n', ['ipv4', 40_000, 8080, 'nobody', 1000]],
	['a service by name', ['ipv4', 40_000, 'http-alt', 0, 0]],
	['a family that is none', ['arp', 40_000, 8080, 0, 0]],
	['too few parts', ['ipv4', 40_000, 8080, 0]],
];

for (const [title, concat] of broken) {
	test(`an owner that is not understood is an error that shows it: ${title}`, t => {
		const error = t.throws(() => parseOwners(listing(owners(concat))), {instanceOf: TestbedError});
		t.is(error.code, 'COMMAND_FAILED');
		t.true(error.message.includes(JSON.stringify(concat)));
	});
}

test('recorded: every socket of the pod whose first packet was seen has an owner', t => {
	const {round, after} = readRecording('iptables-nft-ipv4');
	const inPod = round.sockets.filter(record => record.kind === 'opened' && ['app', 'proxy', 'agent'].includes(record.actor));
	t.is(parseOwners(after['nft']!).length, inPod.length);
});

test('the table replaces an older one of its own, comes before raw, and traces first packets', t => {
	const text = traceTableText({hasInvalid: false});
	t.regex(text, /^\s*table inet testbed-trace \{\}\ndelete table inet testbed-trace\n/u);
	t.is(text.match(/priority -350; policy accept;/gu)?.length, 2);
	t.is(text.match(/meta nftrace set 1/gu)?.length, 4);
	t.is(text.match(/priority -350; policy accept;\n\s+icmpv6 type \{[^}]*mld2-listener-report[^}]*\} drop\n/gu)?.length, 2, 'what the kernel says of itself meets no rule');
	// It would turn conntrack on, and with it nat, where the rules under test do not.
	t.false(text.includes('ct state'));
});

test('if invalid packets are sent, the table traces them, notes their owners, and checks after conntrack whether they are invalid', t => {
	const text = traceTableText({hasInvalid: true});
	t.is(text.match(/\(fin\|syn\|ack\) (?:add @owners \{[^}]*\} )?meta nftrace set 1/gu)?.length, 2);
	t.is(text.match(/priority -199; policy accept;\s+ct state invalid counter/gu)?.length, 2);
	for (const name of Object.values(invalidChains)) {
		t.true(text.includes(`chain ${name} {`));
	}
});
