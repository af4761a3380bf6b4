/**
The runs of the real istio-iptables with native nft tables, and the goldens of both back ends, with their options as ours.
*/

import {readGroupSelection, splitList} from '../../src/istio/option-values.js';
import {defaultOptions, type SidecarOptions} from '../../src/istio/options.js';
import {parseSave} from '../../src/netfilter/save.js';
import type {AddressFamily, RuleSet} from '../../src/netfilter/types.js';
import {readFixture, readFixtureRows} from './fixtures.js';
import {inputOf, type RealRun} from './istio-real.js';

/** One run: see test/fixtures/istio-nft/README.md. */
export type NativeRun = RealRun & {readonly error: string; readonly nft: string};

/** One golden: its file and the options of its test. */
export type Golden = {readonly file: string; readonly options: Readonly<Record<string, string | boolean | number | readonly string[]>>};

/** Numbers in the place of group names, which only a machine knows. */
const groups: ReadonlyMap<string, string> = new Map([['ftp', '21'], ['java', '1001']]);

/** All runs. */
export function readNativeRuns(): readonly NativeRun[] {
	return readFixtureRows<NativeRun>('istio-nft', 'random-nft.jsonl');
}

/** The options of a run and the families it wrote. */
export function nativeInputOf(run: NativeRun): ReturnType<typeof inputOf> {
	return inputOf({...run, argv: run.argv.filter(word => word !== '--native-nftables')});
}

/** All goldens of one back end. */
export function readGoldens(backend: 'iptables' | 'nftables'): readonly Golden[] {
	return readFixtureRows<Golden>('istio-nft', 'goldens', 'index.jsonl').filter(({file}) => file.startsWith(`${backend}/`));
}

/** The text of a golden, with numbers for groups. */
export function goldenText(file: string): string {
	return withNumbers(readFixture('istio-nft', 'goldens', ...file.split('/')));
}

/** The rule set of an iptables golden: what stands between the save commands, IPv6 behind IPv4. */
export function goldenSave(file: string): RuleSet {
	const lines = goldenText(file).split('\n').filter(line => !/^ip6?tables-save$/u.test(line));
	const starts = lines.flatMap((line, index) => line.startsWith('* ') ? [index] : []);
	// Tables are sorted by name within a family.
	const second = starts.find((start, index) => index > 0 && lines[start]! <= lines[starts[index - 1]!]!) ?? lines.length;
	const parse = (part: readonly string[], family: AddressFamily) => part.length === 0 ? [] : parseSave(part.join('\n'), family).tables;
	return {tables: [...parse(lines.slice(0, second), 'ipv4'), ...parse(lines.slice(second), 'ipv6')]};
}

/** The options of a golden by our names, and the families it wrote. */
export function goldenInput({options}: Golden): {readonly options: SidecarOptions; readonly families: readonly AddressFamily[]} {
	const text = (name: string) => withNumbers(String(options[name]));
	const list = (name: string) => splitList(text(name));
	const selection = (name: string) => text(name) === '*' ? '*' : list(name);
	const servers = (name: string) => options[name] as readonly string[];
	return {
		options: {
			...defaultOptions,
			proxyPort: Number(text('proxyPort')),
			inboundCapturePort: Number(text('inboundCapturePort')),
			inboundTunnelPort: Number(text('inboundTunnelPort')),
			proxyUids: list('proxyUID').map(Number),
			proxyGids: list('proxyGID').map(Number),
			inboundInterceptionMode: options['inboundInterceptionMode'] === 'TPROXY' ? 'TPROXY' : 'REDIRECT',
			inboundTproxyMark: Number(text('inboundTProxyMark')),
			inboundPortsInclude: selection('inboundPortsInclude'),
			inboundPortsExclude: list('inboundPortsExclude'),
			outboundPortsInclude: list('outboundPortsInclude'),
			outboundPortsExclude: list('outboundPortsExclude'),
			outboundIpRangesInclude: selection('outboundIPRangesInclude'),
			outboundIpRangesExclude: list('outboundIPRangesExclude'),
			excludeInterfaces: list('excludeInterfaces'),
			kubeVirtInterfaces: list('rerouteVirtualInterfaces'),
			redirectDns: options['redirectDNS'] === true,
			captureAllDns: options['captureAllDNS'] === true,
			dnsServersV4: servers('dnsServersV4'),
			dnsServersV6: servers('dnsServersV6'),
			dropInvalid: options['dropInvalid'] === true,
			ownerGroupsInclude: readGroupSelection(text('ownerGroupsInclude'), 'ownerGroupsInclude'),
			ownerGroupsExclude: list('ownerGroupsExclude'),
			hostIpv4LoopbackCidr: text('hostIPv4LoopbackCidr'),
		},
		families: options['enableIPv6'] === true ? ['ipv4', 'ipv6'] : ['ipv4'],
	};
}

function withNumbers(text: string): string {
	return text.replaceAll(/\b(?:ftp|java)\b/gu, name => groups.get(name) ?? name);
}
