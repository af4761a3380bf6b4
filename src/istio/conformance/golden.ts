/**
Compares Istio's own goldens with the rules generated for their options: sidecar and ambient mode, both back ends. Pure: text in, result out.
*/

import {parseNft} from '../../netfilter/nftables/ruleset.js';
import {defaultBackendOf} from '../../netfilter/backends.js';
import {normalize} from '../../netfilter/iptables/normalize.js';
import {parseSave} from '../../netfilter/iptables/save.js';
import type {RuleLanguage, RuleSet} from '../../netfilter/types.js';
import {generateAmbient, type AmbientScope} from '../ambient/generate.js';
import {ambientFamilies, defaultAmbientOptions, type AmbientOptions} from '../ambient/options.js';
import {sidecarOptionsFromConfig, type ConfigFields} from '../options/config-options.js';
import {generate} from '../generate.js';
import {newestRelease} from '../releases.js';
import {
	chainsOf, firstUnequal, istioBackends, type IstioBackend, type RunComparison,
} from './real-run.js';

/** The settings of the CNI agent in a golden's test (`cni/pkg/config`, AmbientConfig and PodLevelOverrides). */
export type AmbientConfig = {
	readonly options: {readonly enableIPv6: boolean; readonly redirectDNS: boolean; readonly hostProbeSNATAddress: string; readonly hostProbeV6SNATAddress: string};
	readonly podOverrides?: {readonly virtualInterfaces: readonly string[]; readonly ingressMode: boolean; readonly dnsProxy: 'unset' | 'enabled' | 'disabled'} | null;
	readonly environment?: {readonly kubeletUID: string} | null;
};

/** A row of the index of goldens: see test/fixtures/istio-goldens/README.md. */
export type GoldenEntry = {readonly file: string; readonly backend: IstioBackend} & (
	| {readonly mode: 'sidecar'; readonly options: ConfigFields}
	| ({readonly mode: 'ambient'; readonly scope: AmbientScope} & AmbientConfig)
);

/** The ambient options for a golden's settings. */
export function ambientOptionsFromConfig({options, podOverrides, environment}: AmbientConfig): AmbientOptions {
	const {virtualInterfaces, ingressMode, dnsProxy} = podOverrides ?? {virtualInterfaces: [], ingressMode: false, dnsProxy: 'unset'};
	return {
		redirectDns: dnsProxy === 'unset' ? options.redirectDNS : dnsProxy === 'enabled',
		ingress: ingressMode,
		rerouteVirtualInterfaces: virtualInterfaces,
		ipv6: options.enableIPv6,
		hostProbeSnatIp: options.hostProbeSNATAddress,
		hostProbeSnatIpv6: options.hostProbeV6SNATAddress,
		kubeletUid: environment === undefined || environment === null ? defaultAmbientOptions.kubeletUid : Number(environment.kubeletUID),
	};
}

/** Goldens use two group names that Debian does not have; options contain numbers, so both sides get the same numbers. Applies to the text of the index and of every golden. */
export function withGroupNumbers(text: string): string {
	return text.replaceAll(/\bjava\b/g, '20001').replaceAll(/\bftp\b/g, '20002');
}

/**
The rule set of a golden. iptables goldens are restore texts between other lines: first all IPv4 tables by name, then all IPv6 ones, so a name that is not greater than the previous one begins IPv6.

@throws {ParseError} if the text is not such a golden.
*/
export function parseGolden(text: string, backend: IstioBackend): RuleSet {
	return parsers[istioBackends[backend]](text);
}

const parsers: Readonly<Record<RuleLanguage, (text: string) => RuleSet>> = {iptables: parseIptablesGolden, nft: parseNft};

function parseIptablesGolden(text: string): RuleSet {
	const tables = text.split('\n').filter(line => !/^ip6?tables-save$/.test(line)).join('\n').split(/(?<=^COMMIT$)\n?/m).filter(part => part.trim() !== '');
	const names = tables.map(table => /^\* ?(?<name>\S+)/.exec(table)?.groups?.['name'] ?? '');
	const begin = names.findIndex((name, index) => index > 0 && name <= (names[index - 1] ?? ''));
	return {
		tables: tables.flatMap((table, index) => parseSave(table, begin !== -1 && index >= begin ? 'ipv6' : 'ipv4').tables),
	};
}

/** The rules generated for a golden's options. */
export function generateGolden(entry: GoldenEntry): RuleSet {
	const backend = defaultBackendOf(istioBackends[entry.backend]);
	if (entry.mode === 'sidecar') {
		const {options, families} = sidecarOptionsFromConfig(entry.options);
		// Most of the tests do a dry run, and their stub records what would be written.
		return generate({
			release: newestRelease, options: {...options, writesNothing: false}, families, backend,
		});
	}

	const options = ambientOptionsFromConfig(entry);
	return generateAmbient({
		options, families: ambientFamilies(options), backend, scope: entry.scope,
	});
}

/** Compares by table and chain, in the order of the rules. Both sides are normalized, because a golden contains what is written and not what iptables prints. */
export function compareGolden(entry: GoldenEntry, text: string): RunComparison {
	const [ours, theirs] = [generateGolden(entry), parseGolden(text, entry.backend)].map(ruleSet => chainsOf(normalize(ruleSet)));
	const difference = firstUnequal([...new Set([...ours!.keys(), ...theirs!.keys()])].toSorted().map(place => ({place, ours: ours!.get(place) ?? [], theirs: theirs!.get(place) ?? []})));
	return difference === undefined ? {kind: 'equal'} : {kind: 'different', difference};
}
