/*
Whether two machines answer the same batch of probes with the same words. Pure.
*/

/** Ports that the kernel hands out (net.ipv4.ip_local_port_range begins at 32768) differ from run to run. */
const firstEphemeralPort = 32_768;

const withoutEphemeralPorts = text => text.replaceAll(/:(\d{5})\b/g, (whole, port) => Number(port) >= firstEphemeralPort ? ':PORT' : whole);

/** The answers of a batch by their line, as text that can be compared; a line that is no JSON stays as it is. */
function parseAnswers(text) {
	return text.split('\n').filter(line => line !== '').map(line => withoutEphemeralPorts(line));
}

function idOf(line, place) {
	try {
		return JSON.parse(line).id ?? place + 1;
	} catch {
		return place + 1;
	}
}

/**
Compares the answers of two runs of one batch, probe by probe: paths, stops, outcomes and gaps, with all their words but ports that the kernel chose.

@param {string} reference JSON lines, as `probe --batch` prints them.
@param {string} answers The same of the machine that is tried.
@returns {{total: number, same: number, differences: string[]}} Each difference names the probe, and what both said.
*/
export function compareAnswers(reference, answers) {
	const due = parseAnswers(reference);
	const got = parseAnswers(answers);
	const total = Math.max(due.length, got.length);
	const differences = [];
	for (let place = 0; place < total; place++) {
		if (due[place] !== got[place]) {
			differences.push(`probe ${idOf(due[place] ?? got[place], place)}: ${due[place] ?? 'no answer'} here, ${got[place] ?? 'no answer'} there`);
		}
	}

	return {total, same: total - differences.length, differences};
}
