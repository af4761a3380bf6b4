/**
The command that sends one representative again, so that somebody can look at it alone.
*/

import type {Representative} from '../../packet-classes/representatives.js';
import type {RulesSummary} from '../shared-types.js';
import {quote} from './shell-quote.js';

/** A command line of `testbed probe`, for a shell. What comes from a port of its own goes as a line of a batch, which alone can name one. `more`: arguments without which the rules or the proxy would be others. */
export function printReplay(probe: Representative, {source, backend}: Pick<RulesSummary, 'source' | 'backend'>, more: readonly string[] = []): string {
	const rules = [`--rules ${quote(source)} --backend ${backend}`, ...more.map(word => quote(word))].join(' ');
	const {family, destination: {address, port}} = probe;
	const to = family === 'ipv6' ? `[${address}]:${port}` : `${address}:${port}`;
	const from = probe.origin === 'pod' ? 'app' : 'remote';
	if (probe.sourcePort !== undefined) {
		return `echo ${quote(JSON.stringify({
			from, to, uid: probe.uid, gid: probe.gid, proto: probe.protocol, source: probe.source, sourcePort: probe.sourcePort, mark: probe.mark,
		}))} | testbed probe ${rules} --batch - --follow`;
	}

	return [
		`testbed probe ${rules} --from ${from} --to ${quote(to)}`,
		...(probe.protocol === 'udp' ? ['--proto udp'] : []),
		...(probe.uid === undefined ? [] : [`--uid ${probe.uid} --gid ${probe.gid ?? probe.uid}`]),
		...(probe.source === undefined ? [] : [`--source ${probe.source}`]),
		...(probe.mark === undefined ? [] : [`--mark 0x${probe.mark.toString(16)}`]),
	].join(' ');
}
