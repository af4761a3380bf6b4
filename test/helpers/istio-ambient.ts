/**
Istio's goldens of ambient mode, and what the kernel made of them.
*/

import type {AmbientConfig} from '../../src/istio/conformance/golden.js';
import type {AddressFamily} from '../../src/netfilter/types.js';
import {readFixtureRows} from './fixtures.js';

/** One golden: see test/fixtures/istio-ambient/README.md. */
export type AmbientGolden = AmbientConfig & {
	readonly file: string;
	readonly backend: 'iptables' | 'nftables';
	readonly scope: 'pod' | 'host';
	readonly golden: string;
	readonly v4?: string;
	readonly v6?: string;
	readonly nft?: string;
};

/** All goldens of one back end. */
export function readAmbientGoldens(backend: AmbientGolden['backend']): readonly AmbientGolden[] {
	return readFixtureRows<AmbientGolden>('istio-ambient', 'goldens.jsonl').filter(golden => golden.backend === backend);
}

/** What the kernel made of a golden of iptables. */
export function savesOf({v4 = '', v6 = ''}: AmbientGolden): ReadonlyArray<readonly [text: string, family: AddressFamily]> {
	return ([[v4, 'ipv4'], [v6, 'ipv6']] as const).filter(([text]) => text !== '');
}
