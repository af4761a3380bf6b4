/**
Checks of packet traces on each back end, and of the tables that turn them on.
*/

import process from 'node:process';
import type {AddressFamily} from '../../src/netfilter/types.js';
import {addressFamilies} from '../../src/mesh/topology.js';
import type {TraceEvent} from '../../src/trace/decode/event.js';
import {decodeDatagram} from '../../src/trace/decode/decode.js';
import {TestbedError} from '../errors.js';
import {Conntrack} from '../sandbox/conntrack.js';
import {invalidTableText, proberTableText} from '../prober/trace-table.js';
import type {BackendDriver, TraceSample} from '../sandbox/backends/driver.js';
import {drivers} from '../sandbox/backends/drivers.js';
import {fixOf} from '../sandbox/kernel-samples.js';
import type {Netns} from '../sandbox/netns.js';
import {NetlinkTraceSource} from '../tracer/netlink-source.js';
import {TraceSwitch} from '../tracer/trace-switch.js';
import {traceTableText} from '../tracer/trace-table.js';
import type {Check} from './check.js';
import {scratch} from './scratch.js';

/** Opens a connection to a closed port: its SYN still traverses the rules. */
async function sendPacket(netns: Netns, family: AddressFamily): Promise<void> {
	const host = family === 'ipv4' ? '127.0.0.1' : '::1';
	await netns.run(process.execPath, ['-e', `require('net').connect(9, '${host}').on('error', () => {})`]);
}

/** Opens a connection and looks for the rule that it hit among the trace events. */
async function assertTraced(netns: Netns, {driver, family, sample}: {readonly driver: BackendDriver; readonly family: AddressFamily; readonly sample: TraceSample}): Promise<void> {
	using traceSwitch = new TraceSwitch(netns);
	await using source = new NetlinkTraceSource(netns, traceSwitch, {backend: driver.name, bufferBytes: 1 << 20});
	await source.start();
	await sendPacket(netns, family);
	const {datagrams} = await source.stop();
	const events = datagrams
		.filter(({stream}) => stream === driver.traceStream)
		.flatMap((datagram): readonly TraceEvent[] => decodeDatagram(datagram).events);
	if (!events.some(event => event.kind === 'rule' && event.table === sample.table && event.chain === sample.chain)) {
		throw new TestbedError('MACHINE', {message: `A connection was opened, but none of its ${events.length} trace events shows the rule that it hit.`});
	}
}

function traceCheck(driver: BackendDriver, family: AddressFamily, lockFile: string): Check {
	const sample = driver.traceSample(family);
	return {
		what: `${driver.name}, ${family}: a packet's trace, read by netlink`,
		group: 'traces',
		backend: driver.name,
		use: 'every set',
		needs: sample.needs,
		fix: fixOf(sample.module),
		async act() {
			await scratch(async netns => {
				await driver.load(netns, {family: sample.family, text: sample.text, lockFile});
				await assertTraced(netns, {driver, family, sample});
			});
		},
	};
}

/** Checks of traces, for every back end and both families. */
export function traceChecks(lockFile: string): readonly Check[] {
	return drivers.flatMap(driver => addressFamilies.map(family => traceCheck(driver, family, lockFile)));
}

/** Checks of the tables that turn tracing on, whatever the back end of the rules, and of what the prober needs from conntrack. */
export function traceTableChecks(): readonly Check[] {
	const loads = (...texts: readonly string[]) => async (): Promise<void> => scratch(async netns => {
		for (const text of texts) {
			await netns.runConfined('nft', ['-f', '-'], {input: text}); // eslint-disable-line no-await-in-loop -- The second adds to the first.
		}

		await netns.runConfined('nft', ['-n', '-j', 'list', 'ruleset']);
	});
	const shared = {group: 'the trace tables', needs: 'nf_tables with sets', fix: fixOf('nf_tables')} as const;
	return [
		{
			...shared, what: 'nftables: the table that turns tracing on, with its set of owners', use: 'everything', act: loads(traceTableText({hasInvalid: false})),
		},
		{
			...shared, what: 'nftables: the prober\'s table, which counts owners', use: 'prober', act: loads(proberTableText()),
		},
		{
			...shared, what: 'nftables: the prober\'s table that rejects, used where sockets listen', use: 'TPROXY', needs: 'nft_reject_inet', fix: fixOf('nft_reject_inet'), act: loads(proberTableText(['tcp', 'udp'])),
		},
		{
			...shared, what: 'nftables: the tables for invalid packets', use: 'invalid packets', needs: 'nft_ct', fix: fixOf('nft_ct'), act: loads(traceTableText({hasInvalid: true}), proberTableText(), invalidTableText),
		},
		{
			group: 'the trace tables',
			what: 'conntrack by netlink: deleting connections',
			use: 'prober',
			needs: 'nf_conntrack_netlink',
			fix: fixOf('nf_conntrack_netlink'),
			async act() {
				await scratch(async netns => {
					using conntrack = new Conntrack(netns);
					conntrack.flush();
				});
			},
		},
	];
}
