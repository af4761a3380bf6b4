/**
`--pcap`: the packets of a run as a file for Wireshark.
*/

import {annotate, type NamedConnection} from '../../../src/report/pcap/annotate.js';
import {printPcapng} from '../../../src/report/pcap/pcapng.js';
import {writeOutput} from '../../outputs/write.js';
import type {CheckedOutput} from '../../outputs/check.js';
import {tell} from '../../system/streams.js';
import type {CapturedPackets} from '../../tracer/packet-capture.js';
import {version} from '../version.js';

/** The file of `--pcap` as an output to check before the run; empty without `--pcap`. */
export function pcapOutput(pcap: string | undefined): readonly CheckedOutput[] {
	return pcap === undefined ? [] : [{name: '--pcap', what: 'The capture', file: pcap}];
}

/**
Writes the captured packets, each annotated with the leg it belongs to, and warns on standard error if packets are missing. Writes nothing if nothing was captured.

@throws {TestbedError} INPUT if the file cannot be written.
*/
export async function writePcap(file: string, captured: CapturedPackets | undefined, {connections, about}: {readonly connections: readonly NamedConnection[]; readonly about: string}): Promise<void> {
	if (captured === undefined) {
		return;
	}

	const {interfaces, packets, dropped} = captured;
	const missing = dropped === 0 ? [] : [`${dropped} packets are missing: the kernel dropped them before they could be read.`];
	await writeOutput(file, printPcapng({
		program: `sidecar-netfilter-testbed ${version}`, comment: [about, ...missing].join('\n'), interfaces, packets: annotate(packets, connections),
	}), {what: 'The capture', state: 'The report is complete.'});
	for (const line of missing) {
		tell(`testbed: ${file}: ${line}\n`);
	}
}
