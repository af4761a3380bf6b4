/**
Ports that a pod's proxy opens for scrapes by mutual TLS, and that no rule shows: Istio 1.31, `ENVOY_SECURE_METRICS_PORT` and `ENVOY_SECURE_MERGED_METRICS_PORT` (istio/istio, pull request 60391). Both default to 0, which means none.
*/

import {hasPort} from '../../mesh/selection.js';
import type {Intent, ScrapePort} from '../../mesh/intent.js';
import type {Topology} from '../../mesh/topology.js';
import {annotationNames} from './annotations.js';
import type {Container, Pod} from './pod.js';
import {parseProxyConfig} from './proxy-config.js';
import {isAtLeast} from './since.js';

const since = '1.31.0';

const variables: ReadonlyArray<Omit<ScrapePort, 'port'> & {readonly variable: string}> = [
	{variable: 'ENVOY_SECURE_METRICS_PORT', name: 'secure-metrics', asks: 'metrics'},
	{variable: 'ENVOY_SECURE_MERGED_METRICS_PORT', name: 'secure-merged', asks: 'agent'},
];

const portMax = 65_535;

/**
The ports that a manifest sets, by the environment of the container istio-proxy or by `proxyMetadata` of its annotation, which becomes that environment. Settings without effect cause a warning.

@throws {InputError} for an annotation that is not understood.
*/
export function scrapePortsOf({annotations}: Pick<Pod, 'annotations'>, {proxy, release, warnings}: {readonly proxy: Pick<Container, 'environment' | 'image'> | undefined; readonly release: string; readonly warnings: string[]}): readonly ScrapePort[] {
	// In an injected pod, the metadata is already in the environment.
	const isInjected = proxy?.image !== undefined && proxy.image !== 'auto';
	const config = isInjected ? undefined : annotations.get(annotationNames.proxyConfig);
	const metadata = config === undefined ? {} : parseProxyConfig(config).metadata;
	return variables.flatMap(({variable, ...scrape}) => {
		const own = proxy?.environment.get(variable);
		const {value, at} = own ?? {value: metadata[variable], at: config?.at ?? ''};
		if (own !== undefined && value === undefined) {
			warnings.push(`${at}: the value of ${variable} comes from elsewhere (valueFrom) and is not in the manifest; it is treated as not set`);
		}

		if (value === undefined) {
			return [];
		}

		if (!isAtLeast(release, since)) {
			warnings.push(`${at}: ${variable} is read since ${since}; release ${release} ignores it`);
			return [];
		}

		const port = /^[+-]?\d+$/u.test(value) ? Number(value) : undefined;
		if (port === undefined || port < 0 || port > portMax) {
			warnings.push(`${at}: ${variable} is "${value}", which is not a port; it is treated as not set`);
			return [];
		}

		return port === 0 ? [] : [{...scrape, port}];
	});
}

/** The ports that can be opened in addition to all others of the pod, and a remark about each: that it is taken, or on which path a scrape reaches it. */
export function scrapesIn(intent: Pick<Intent, 'proxyPort' | 'inboundCapturePort' | 'inboundPortsInclude' | 'inboundPortsExclude'>, {ports, proxyAsks}: Pick<Topology, 'ports' | 'proxyAsks'>, asked: readonly ScrapePort[]): {readonly scrapes: readonly ScrapePort[]; readonly warnings: readonly string[]} {
	const {proxyPort, inboundCapturePort, inboundPortsInclude: include, inboundPortsExclude: exclude} = intent;
	const taken = new Set([proxyPort, inboundCapturePort, ports.metrics, ports.health, ports.app, ...Object.values(proxyAsks ?? {})]);
	const scrapes: ScrapePort[] = [];
	const warnings: string[] = [];
	for (const scrape of asked) {
		const {port, name} = scrape;
		if (taken.has(port)) {
			warnings.push(`${variableOf(name)} is ${port}, where another listener of this run is; that scrape is not run`);
			continue;
		}

		taken.add(port);
		scrapes.push(scrape);
		const isCaptured = include === '*' ? !hasPort(exclude, port) : hasPort(include, port);
		if (isCaptured) {
			warnings.push(`${variableOf(name)}: no rule exempts port ${port}, so a scrape goes to the inbound listener on ${inboundCapturePort} first, and from there to the listener on ${port}. For a direct connection, the annotation ${annotationNames.excludeInbound} must name ${port}`);
		}
	}

	return {scrapes, warnings};
}

function variableOf(scrapeName: string): string {
	return variables.find(({name}) => name === scrapeName)?.variable ?? scrapeName;
}
