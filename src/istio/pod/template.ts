/**
Pods that are not injected yet: what the injection template of a default installation will pass to their init container.
*/

import {
	annotationNames, checkPort, excludedInboundPorts, flagsOf, interceptionMode,
} from './annotations.js';
import type {CommandLine} from './init-container.js';
import type {Container, Pod} from './pod.js';
import {parseProxyConfig} from './proxy-config.js';
import {knownEnvironment} from './environment.js';
import {isAtLeast} from './since.js';

/** Ports that the template always excludes from capture first: Envoy's metrics, and since 1.6 its health. */
const alwaysExcluded: ReadonlyArray<{readonly port: string; readonly since: string}> = [{port: '15090', since: '1.5'}, {port: '15021', since: '1.6'}];

/** The first release that passes `runAsUser` of the container istio-proxy as the proxy's UID. */
const userIsPassedSince = '1.20.0';

/** Global.proxy.statusPort of a default installation. */
const defaultStatusPort = '15020';

/** The template's result for a pod: a command line, or no init container at all. */
export type Injection = CommandLine | 'none';

/**
The command line that the template writes for a pod.

@throws {InputError} naming line and annotation, for values that the webhook rejects.
*/
export function injectionOf({annotations}: Pod, {proxy, release, warnings}: {readonly proxy: Container | undefined; readonly release: string; readonly warnings: string[]}): Injection {
	const configText = annotations.get(annotationNames.proxyConfig);
	const config = configText && parseProxyConfig(configText);
	const mode = interceptionMode(annotations) ?? config?.mode ?? 'REDIRECT';
	if (mode === 'NONE') {
		return 'none';
	}

	warnings.push('the manifest shows neither mesh configuration nor chart values, so those of a default installation are used');
	const own = proxy?.runAsUser;
	// TPROXY requires a user chosen by Istio: the template passes 1337.
	const uid = own !== undefined && mode !== 'TPROXY' && isAtLeast(release, userIsPassedSince) ? String(own) : '1337';
	const flags = flagsOf(annotations, {writer: 'template', release, warnings});
	const at = flags.indexOf('-b') + 2;
	return {
		argv: ['-p', '15001', '-z', '15006', '-u', uid, '-m', mode, ...flags.slice(0, at), '-d', excludedPorts(annotations, release), ...flags.slice(at)],
		environment: knownEnvironment(config?.metadata ?? {}),
	};
}

/** The status port is added unless it is listed; a status port of 0, or an empty one, means none. */
function excludedPorts(annotations: Pod['annotations'], release: string): string {
	const text = annotations.get(annotationNames.statusPort);
	const statusPort = text === undefined ? defaultStatusPort : (text.value.trim() === '' ? '' : checkPort(text.value, text.at));
	const given = excludedInboundPorts(annotations) ?? [];
	const all = statusPort === '' || statusPort === '0' || given.includes(statusPort) ? given : [...given, statusPort];
	return [...alwaysExcluded.filter(({since}) => isAtLeast(release, since)).map(({port}) => port), ...all.map(port => port.trim())].join(',');
}
