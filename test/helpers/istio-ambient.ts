/**
Istio's goldens of ambient mode, and our options for each.
*/

import {defaultAmbientOptions, type AmbientOptions} from '../../src/istio/ambient-options.js';
import type {AddressFamily} from '../../src/netfilter/types.js';
import {readFixtureRows} from './fixtures.js';

/** One golden: see test/fixtures/istio-ambient/README.md. */
export type AmbientGolden = {
	readonly file: string;
	readonly backend: 'iptables' | 'nftables';
	readonly scope: 'pod' | 'host';
	readonly options: {readonly enableIPv6: boolean; readonly redirectDNS: boolean; readonly hostProbeSNATAddress: string; readonly hostProbeV6SNATAddress: string};
	readonly podOverrides: {readonly virtualInterfaces: readonly string[]; readonly ingressMode: boolean; readonly dnsProxy: 'unset' | 'enabled' | 'disabled'} | null;
	readonly environment: {readonly kubeletUID: string} | null;
	readonly golden: string;
	readonly v4?: string;
	readonly v6?: string;
	readonly nft?: string;
};

/** All goldens of one back end. */
export function readAmbientGoldens(backend: AmbientGolden['backend']): readonly AmbientGolden[] {
	return readFixtureRows<AmbientGolden>('istio-ambient', 'goldens.jsonl').filter(golden => golden.backend === backend);
}

/** The options of a golden's test. */
export function ambientOptionsOf({options, podOverrides, environment}: AmbientGolden): AmbientOptions {
	const {virtualInterfaces = [], ingressMode = false, dnsProxy = 'unset'} = podOverrides ?? {};
	return {
		redirectDns: dnsProxy === 'unset' ? options.redirectDNS : dnsProxy === 'enabled',
		ingress: ingressMode,
		rerouteVirtualInterfaces: virtualInterfaces,
		ipv6: options.enableIPv6,
		hostProbeSnatIp: options.hostProbeSNATAddress,
		hostProbeSnatIpv6: options.hostProbeV6SNATAddress,
		kubeletUid: environment === null ? defaultAmbientOptions.kubeletUid : Number(environment.kubeletUID),
	};
}

/** What the kernel made of a golden of iptables. */
export function savesOf({v4 = '', v6 = ''}: AmbientGolden): ReadonlyArray<readonly [text: string, family: AddressFamily]> {
	return ([[v4, 'ipv4'], [v6, 'ipv6']] as const).filter(([text]) => text !== '');
}
