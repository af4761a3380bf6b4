import test from 'ava';
import {TestbedError} from '../../../../testbed/errors.js';
import {invalidChains} from '../../../../src/trace/packets.js';
import {parseOwners, traceTableText} from '../../../../testbed/tracer/trace-table.js';
import {traceTable} from '../../../../testbed/sandbox/own-table.js';
import {readRecording} from '../../../helpers/recordings.js';

const listing = (...entries: readonly unknown[]): string => JSON.stringify({nftables: [{metainfo: {version: '1.0.6'}}, {table: {family: 'inet', name: traceTable}}, ...entries]});
const setOf = (name: string, ...elements: ReadonlyArray<readonly unknown[]>): unknown => ({
	set: {
		family: 'inet', name, table: traceTable, elem: elements.map(concat => ({concat})),
	},
});

test('owners by both ends of their packets, user and group', t => {
	const [one, other, sixth] = [['10.0.0.1', 40_000, '10.0.0.2', 8080], ['10.0.0.1', 40_000, '10.0.0.3', 8080], ['2001:db8::1', 5, 'fe80::2', 6]] as const;
	const sets = [
		setOf('tcp-gids-ipv4', [...other, 3], [...one, 1001]), setOf('tcp-uids-ipv4', [...one, 1000], [...other, 2]),
		setOf('udp-uids-ipv4', [...one, 7]), setOf('udp-gids-ipv4', [...one, 8]),
		setOf('tcp-uids-ipv6', [...sixth, 4_294_967_294]), setOf('tcp-gids-ipv6', [...sixth, 0]),
	];
	const [from, to] = [{address: '10.0.0.1', port: 40_000}, {address: '10.0.0.2', port: 8080}];
	t.deepEqual(parseOwners(listing(...sets)), [
		{
			family: 'ipv4', protocol: 'tcp', from, to, uid: 1000, gid: 1001,
		},
		{
			family: 'ipv4', protocol: 'tcp', from, to: {address: '10.0.0.3', port: 8080}, uid: 2, gid: 3,
		},
		{
			family: 'ipv4', protocol: 'udp', from, to, uid: 7, gid: 8,
		},
		{
			family: 'ipv6', protocol: 'tcp', from: {address: '2001:db8::1', port: 5}, to: {address: 'fe80::2', port: 6}, uid: 4_294_967_294, gid: 0,
		},
	]);
});

test('a packet with two users has both, one that is listed twice has one, and one that only one set has is not there', t => {
	const [one, other] = [['10.0.0.1', 40_000, '10.0.0.2', 8080], ['10.0.0.1', 40_000, '10.0.0.3', 8080]] as const;
	const owners = parseOwners(listing(setOf('tcp-uids-ipv4', [...one, 1000], [...one, 1337], [...other, 0]), setOf('tcp-gids-ipv4', [...one, 9], [...one, 9])));
	t.deepEqual(owners.map(({to, uid, gid}) => [to.address, uid, gid]), [['10.0.0.2', 1000, 9], ['10.0.0.2', 1337, 9]]);
});

test('recordings before version 4 have one set without addresses; nft writes family and protocol as names or numbers, and from before UDP there is no protocol', t => {
	t.deepEqual(parseOwners(listing(setOf('owners', ['ipv4', 'tcp', 40_000, 8080, 1000, 1001], [2, 17, 1, 2, 3, 4], ['ipv6', 6, 5, 6, 0, 0], [10, 'udp', 7, 8, 4_294_967_294, 9], [2, 9, 10, 11, 12]))), [
		{
			family: 'ipv4', protocol: 'tcp', from: {port: 40_000}, to: {port: 8080}, uid: 1000, gid: 1001,
		},
		{
			family: 'ipv4', protocol: 'udp', from: {port: 1}, to: {port: 2}, uid: 3, gid: 4,
		},
		{
			family: 'ipv6', protocol: 'tcp', from: {port: 5}, to: {port: 6}, uid: 0, gid: 0,
		},
		{
			family: 'ipv6', protocol: 'udp', from: {port: 7}, to: {port: 8}, uid: 4_294_967_294, gid: 9,
		},
		{
			family: 'ipv4', protocol: 'tcp', from: {port: 9}, to: {port: 10}, uid: 11, gid: 12,
		},
	]);
});

const none: ReadonlyArray<readonly [title: string, text: string]> = [
	['no set', listing()],
	['empty sets', listing(...['owners', 'tcp-uids-ipv4', 'tcp-gids-ipv4'].map(name => ({set: {family: 'inet', name, table: traceTable}})))],
	['a set of that name in another table', listing({set: {family: 'ip', name: 'owners', table: 'nat', elem: [{concat: ['ipv4', 1, 2, 3, 4]}]}})],
	['another set of the table', listing({set: {family: 'inet', name: 'others', table: traceTable, elem: [{concat: ['ipv4', 1, 2, 3, 4]}]}})],
];

for (const [title, text] of none) {
	test(`no owners: ${title}`, t => {
		t.deepEqual(parseOwners(text), []);
	});
}

const broken: ReadonlyArray<readonly [title: string, concat: readonly unknown[], set?: string]> = [
	['a user by name, as without -n', ['ipv4', 40_000, 8080, 'nobody', 1000]],
	['a service by name', ['ipv4', 40_000, 'http-alt', 0, 0]],
	['a family that is none', ['arp', 40_000, 8080, 0, 0]],
	['too few parts', ['ipv4', 40_000, 8080, 0]],
	['without addresses', [40_000, 8080, 1000], 'tcp-uids-ipv4'],
	['an address that is none', [10, 1, '10.0.0.2', 2, 0], 'udp-gids-ipv4'],
	['a port by name', ['2001:db8::1', 1, '2001:db8::2', 'http-alt', 0], 'tcp-gids-ipv6'],
	['a group by name', ['2001:db8::1', 1, '2001:db8::2', 2, 'nogroup'], 'tcp-gids-ipv6'],
];

for (const [title, concat, set = 'owners'] of broken) {
	test(`an owner that is not understood is an error that shows it: ${title}`, t => {
		const error = t.throws(() => parseOwners(listing(setOf(set, concat))), {instanceOf: TestbedError});
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
	t.is(text.match(/\(fin\|syn\|ack\) meta nftrace set 1/gu)?.length, 2);
	t.is(text.match(/meta nfproto ipv[46] tcp flags & \(fin\|syn\|rst\|ack\) == \(fin\|syn\|ack\) add @tcp-uids-ipv[46] \{[^}]*\} add @tcp-gids-ipv[46] \{/gu)?.length, 2);
	t.is(text.match(/priority -199; policy accept;\s+ct state invalid counter/gu)?.length, 2);
	for (const name of Object.values(invalidChains)) {
		t.true(text.includes(`chain ${name} {`));
	}
});
