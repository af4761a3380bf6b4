/**
A report without what differs whenever the same work is done again. Two reports of the same results are equal, byte for byte, once both are normalized: that is how the report of merged shards is compared with that of one machine, and how two files of one shard are told to agree.

It changes only:
- durations: `"durationMs": 467` in JSON (also within HTML), `time="0.467"` in JUnit, `in 467 ms`, `in 4.7 s` and `(467 ms)` in texts
- the ports that the kernel chooses for senders: 32768 to 60999, the default range of Linux, behind an address, a key of JSON, or `port is`

Rules whose own ports are in that range lose these as well; their text in `rules.sha256` still tells them apart. Process ids, and names that are made up for a run, are in no report.
*/

/** The range of net.ipv4.ip_local_port_range by default. */
const [firstEphemeral, lastEphemeral] = [32_768, 60_999];

/** What stands instead of a port that the kernel chose; as wide as the port, so that drawings and lines stay as they are. */
const somePort = '00000';

/** The text of a report in any format. */
export function normalizeReport(text: string): string {
	return text
		.replaceAll(/(?<=(?:"|&quot;)durationMs(?:"|&quot;): ?)\d+(?:\.\d+)?/gu, '0')
		.replaceAll(/(?<=\btime=")\d+\.\d{3}(?=")/gu, '0.000')
		.replaceAll(/\bin \d+(?:\.\d)? m?s\b/gu, 'in 0 ms')
		// A line may break before it.
		.replaceAll(/\s+\(\d+ ms\)/gu, ' (0 ms)')
		.replaceAll(/(?<=(?:"|&quot;)(?:port|sourcePort)(?:"|&quot;): ?|[\da-f\]]:|\bport is )\d{5}(?!\d)/gu, port => isEphemeral(Number(port)) ? somePort : port);
}

function isEphemeral(port: number): boolean {
	return port >= firstEphemeral && port <= lastEphemeral;
}
