/** Which leg a captured packet belongs to. */

import test from 'ava';
import {annotate, type NamedConnection} from '../../../../src/report/pcap/annotate.js';
import {sketchReport} from '../../../helpers/reports.js';

const report = sketchReport({ids: ['2']});
const connections: readonly NamedConnection[] = report.types.map(({id, name, family, legs}) => ({name: `type ${id} ${name}, ${family}`, legs}));

type Sent = {readonly from: string; readonly to: string; readonly flags: number; readonly protocol?: number};

/** An IPv4 packet behind a link header; addresses as `10.0.0.1:80`. */
function packet({from, to, flags, protocol = 6}: Sent): {readonly interface: number; readonly time: bigint; readonly bytes: Uint8Array} {
	const bytes = new Uint8Array(14 + 20 + 20);
	const view = new DataView(bytes.buffer, 14);
	view.setUint8(0, 0x45);
	view.setUint8(9, protocol);
	for (const [text, address, port] of [[from, 12, 20], [to, 16, 22]] as const) {
		const [host, number] = text.split(':');
		bytes.set(host!.split('.').map(Number), 14 + address);
		view.setUint16(port, Number(number));
	}

	view.setUint8(33, flags);
	return {interface: 0, time: 0n, bytes};
}

const [syn, ack, synAck] = [2, 0x10, 0x12];
const [own] = connections[0]!.legs;
const end = ({address, port}: {readonly address: string; readonly port: number}): string => `${address}:${port}`;
const from = end(own!.from);

test('only the first SYN of a leg has the rules, later ones and answers have the leg', t => {
	const comments = annotate([
		packet({from, to: '127.0.0.1:15001', flags: syn}),
		packet({from: end(own!.to), to: from, flags: synAck}),
		packet({from, to: '127.0.0.1:15001', flags: ack}),
		packet({from, to: '127.0.0.1:15001', flags: syn}),
	], connections).map(({comment}) => comment);
	const name = 'type 2 local-to-remote, ipv4, leg 1 of 2, app > proxy:15001';
	t.regex(comments[0]!, /^type 2 local-to-remote, ipv4, leg 1 of 2, app > proxy:15001: OUTPUT#1 > ISTIO_OUTPUT#\d+ > ISTIO_REDIRECT#1 > POSTROUTING\nOUTPUT#1 -j ISTIO_OUTPUT\n/u);
	t.deepEqual(comments.slice(1), [`${name}, answer`, name, name]);
});

test('packets of no leg have no comment: other addresses, other protocols, no IP, too short', t => {
	const strange = [
		packet({from: '192.0.2.1:1', to: '192.0.2.2:2', flags: syn}),
		packet({
			from, to: '127.0.0.1:15001', flags: 0, protocol: 17,
		}),
		{interface: 0, time: 0n, bytes: new Uint8Array(60)},
		{interface: 0, time: 0n, bytes: new Uint8Array(3)},
	];
	t.deepEqual(annotate(strange, connections), strange);
});
