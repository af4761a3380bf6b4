/**
What changed in the rules from release to release, as data. The generator asks for features and never compares numbers; another release is another row.
*/

import {InputError} from './input-error.js';

/** What the rules of a release line do. Each names the release that brought it (istio/istio, `tools/istio-iptables/pkg/capture`). */
export type ReleaseFeatures = {
	/** Since 1.25.0: `OUTPUT -j ISTIO_OUTPUT` for all protocols; before, `-p tcp`. */
	readonly outputJumpAllProtocols: boolean;
	/** Since 1.25.0: an excluded outbound port is excluded for UDP too. */
	readonly udpOutboundExclude: boolean;
	/** Since 1.24.0: invalid packets go to a chain ISTIO_DROP; before, `-j DROP`. */
	readonly invalidDropChain: boolean;
	/** Since 1.18.0: the hairpin rules except the tunnel port. */
	readonly hairpinExceptsTunnelPort: boolean;
	/** Since 1.25.0: DNS rules stand in chains of their own, and DNS capture without a known server is switched off. */
	readonly dnsChain: boolean;
	/** Since 1.27.0: `--native-nftables` writes native nft tables. */
	readonly native: boolean;
	/** Since 1.28.0: every native rule counts. */
	readonly nativeCounters: boolean;
};

/** One release line, `1.30`, with the patch releases whose binaries were run. */
export type ReleaseLine = {
	readonly name: string;
	readonly features: ReleaseFeatures;
	/** The newest patch release that was measured. */
	readonly measured: string;
	readonly source: string;
};

/** A release as asked for: the line, and the patch release when one was named. */
export type Release = ReleaseLine & {readonly asked: string};

/** The known release lines, oldest first. */
export const releaseLines: readonly ReleaseLine[] = [
	{
		name: '1.30',
		features: {
			outputJumpAllProtocols: true,
			udpOutboundExclude: true,
			invalidDropChain: true,
			hairpinExceptsTunnelPort: true,
			dnsChain: true,
			native: true,
			nativeCounters: true,
		},
		measured: '1.30.3',
		source: 'istio/istio 1.30.3; the rules equal those of the real istio-iptables 1.30.3 (test/fixtures/istio-real)',
	},
];

/** The newest release line that is known. */
export const newestRelease: ReleaseLine = newest();

/** Finds the line of `1.30` or `1.30.3`; empty text means the newest. Patch releases of a line write the same rules. */
export function findRelease(text: string): Release {
	if (text === '') {
		return {...newestRelease, asked: newestRelease.name};
	}

	const [, name] = /^(\d+\.\d+)(?:\.\d+)?$/.exec(text) ?? [];
	const line = releaseLines.find(candidate => candidate.name === name);
	if (line === undefined) {
		throw new InputError(`unknown release "${text}"; known are ${releaseLines.map(known => known.name).join(', ')}, each with any patch number`, 'release');
	}

	return {...line, asked: text};
}

function newest(): ReleaseLine {
	const line = releaseLines.at(-1);
	if (line === undefined) {
		throw new InputError('no release is known', 'release');
	}

	return line;
}
