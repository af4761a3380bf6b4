/**
A packet's trace on each back end, and what switches it on and reads it.
*/

import process from 'node:process';
import {iptablesBackends, type AddressFamily, type Backend, type IptablesBackend} from '../../src/netfilter/types.js';
import {addressFamilies} from '../../src/scenario/topology.js';
import type {TraceEvent} from '../../src/trace/decode/event.js';
import {decodeNflog} from '../../src/trace/decode/nflog.js';
import {decodeNftTrace} from '../../src/trace/decode/nft-trace.js';
import {TestbedError} from '../errors.js';
import {Conntrack} from '../prober/conntrack.js';
import {invalidSwitchText, probeSwitchText} from '../prober/trace-table.js';
import {mendOf, nativeSampleTable, nativeSampleText} from '../sandbox/kernel-samples.js';
import type {Netns} from '../sandbox/netns.js';
import {restoreRules} from '../sandbox/tools.js';
import {NetlinkTraceSource} from '../tracer/netlink-source.js';
import {switchTableText} from '../tracer/trace-table.js';
import type {Check} from './check.js';
import {scratch} from './scratch.js';

/** Opens a connection to a closed port: its SYN walks the rules all the same. */
async function sendPacket(netns: Netns, family: AddressFamily): Promise<void> {
	const host = family === 'ipv4' ? '127.0.0.1' : '::1';
	await netns.run(process.execPath, ['-e', `require('net').connect(9, '${host}').on('error', () => {})`]);
}

/** Opens a connection and looks for the rule that it met among the trace events. */
async function assertTraced(netns: Netns, {backend, family, isRule}: {readonly backend: Backend; readonly family: AddressFamily; readonly isRule: (event: TraceEvent) => boolean}): Promise<void> {
	const isLegacy = backend === 'iptables-legacy';
	await using source = new NetlinkTraceSource(netns, {backend, bufferBytes: 1 << 20});
	await source.start();
	await sendPacket(netns, family);
	const {datagrams} = await source.stop();
	const events = datagrams
		.filter(({stream}) => stream === (isLegacy ? 'nflog' : 'nft'))
		.flatMap(({bytes}): readonly TraceEvent[] => (isLegacy ? decodeNflog(bytes) : decodeNftTrace(bytes)).events);
	if (!events.some(event => event.kind === 'rule' && isRule(event))) {
		throw new TestbedError('MACHINE', {message: `A connection was opened, and of ${events.length} trace events none shows the rule that it met.`});
	}
}

function traceCheck(backend: IptablesBackend, family: AddressFamily, lockFile: string): Check {
	const legacy = backend === 'iptables-legacy';
	return {
		what: `${backend}, ${family}: a packet's trace, read by netlink`,
		group: 'traces',
		backend,
		use: 'every set',
		needs: legacy ? 'nf_tables and nfnetlink_log' : 'nf_tables (NFT_TRACE is part of it)',
		mend: mendOf(legacy ? 'nfnetlink_log' : 'nf_tables'),
		async act() {
			await scratch(async netns => {
				await restoreRules(netns, {
					// Without a rule that needs conntrack nat is not consulted at all (measured), so it is a REDIRECT.
					backend, family, text: '*nat\n-A OUTPUT -p tcp -j REDIRECT --to-ports 9\nCOMMIT\n', lockFile,
				});
				await assertTraced(netns, {backend, family, isRule: ({table, chain}) => table === 'nat' && chain === 'OUTPUT'});
			});
		},
	};
}

/** A native rule on a packet's way, seen in the trace. */
function nativeTraceCheck(family: AddressFamily): Check {
	return {
		what: `nftables, ${family}: a packet's trace, read by netlink`,
		group: 'traces',
		backend: 'nftables',
		use: 'every set',
		needs: 'nf_tables (NFT_TRACE is part of it)',
		mend: mendOf('nf_tables'),
		async act() {
			await scratch(async netns => {
				await netns.runConfined('nft', ['-f', '-'], {input: nativeSampleText({chain: 'type nat hook output priority -100', rule: 'meta l4proto tcp counter redirect to :9'})});
				await assertTraced(netns, {backend: 'nftables', family, isRule: ({table, chain}) => table === nativeSampleTable && chain === 'sample'});
			});
		},
	};
}

/** Traces, on every back end. */
export function traceChecks(lockFile: string): readonly Check[] {
	return [
		...iptablesBackends.flatMap(backend => addressFamilies.map(family => traceCheck(backend, family, lockFile))),
		...addressFamilies.map(family => nativeTraceCheck(family)),
	];
}

/** The tables that switch tracing on, whatever the back end of the rules, and what the prober asks of conntrack. */
export function switchChecks(): readonly Check[] {
	const loads = (...texts: readonly string[]) => async (): Promise<void> => scratch(async netns => {
		for (const text of texts) {
			await netns.runConfined('nft', ['-f', '-'], {input: text}); // eslint-disable-line no-await-in-loop -- The second adds to the first.
		}

		await netns.runConfined('nft', ['-n', '-j', 'list', 'ruleset']);
	});
	const shared = {group: 'the trace switch', needs: 'nf_tables with sets', mend: mendOf('nf_tables')} as const;
	return [
		{
			...shared, what: 'nftables: the table that switches tracing on, with its set of owners', use: 'everything', act: loads(switchTableText({hasInvalid: false})),
		},
		{
			...shared, what: 'nftables: the prober\'s table, which counts owners', use: 'prober', act: loads(probeSwitchText()),
		},
		{
			...shared, what: 'nftables: the prober\'s table where sockets listen, which rejects', use: 'TPROXY', needs: 'nft_reject_inet', mend: mendOf('nft_reject_inet'), act: loads(probeSwitchText(['tcp', 'udp'])),
		},
		{
			...shared, what: 'nftables: the tables for invalid packets', use: 'invalid packets', needs: 'nft_ct', mend: mendOf('nft_ct'), act: loads(switchTableText({hasInvalid: true}), probeSwitchText(), invalidSwitchText),
		},
		{
			group: 'the trace switch',
			what: 'conntrack by netlink: connections are forgotten',
			use: 'prober',
			needs: 'nf_conntrack_netlink',
			mend: mendOf('nf_conntrack_netlink'),
			async act() {
				await scratch(async netns => {
					using conntrack = new Conntrack(netns);
					conntrack.flush();
				});
			},
		},
	];
}
