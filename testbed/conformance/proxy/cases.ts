/**
The connections that the stub and Envoy both have to carry: the types, every scenario that is shipped, and what neither has.
*/

import {readdirSync} from 'node:fs';
import path from 'node:path';
import {addressFamilies} from '../../../src/mesh/topology.js';
import {backends as allBackends, type Backend} from '../../../src/netfilter/types.js';
import {defaultBufferBytes} from '../../tracer/trace-source.js';
import {credentialsOf, type DropFirst} from '../../inputs/credentials.js';
import {playersOf} from '../../inputs/players.js';
import {defaultInput} from '../../inputs/request.js';
import {loadRuleInputs} from '../../inputs/rules.js';
import {loadScenario, readScenario, type LoadedScenarios} from '../../inputs/scenarios.js';
import type {RunOptions} from '../../run/options.js';
import {packageRoot} from '../../system/package-root.js';

/** A case: what it is called, and a run without its proxy. */
export type ProxyCase = {readonly name: string; readonly options: RunOptions};

/** All cases, and those that no Envoy can be asked, with the reason. */
export type ProxyCases = {readonly cases: readonly ProxyCase[]; readonly leftOut: readonly string[]};

/** Longest wait for a connection: what is dropped ends then. */
const timeoutMs = 3000;

/** Scenarios of their own, by name: the ends of connections that the shipped ones do not have. */
function ownScenarios(mode: 'REDIRECT' | 'TPROXY'): Readonly<Record<string, string>> {
	const scenario = (name: string, about: string, rest: readonly string[]): readonly [string, string] => [name, [
		'version: 1', `name: ${name}`, `about: ${about}`, `rules: ${defaultInput}${mode === 'TPROXY' ? ' -m TPROXY' : ''}`, ...(rest.some(line => line.startsWith('families:')) ? [] : ['families: [ipv4, ipv6]']), ...rest, '',
	].join('\n')];
	const suffix = mode === 'TPROXY' ? '-tproxy' : '';
	return Object.fromEntries([
		scenario(`nobody-listens${suffix}`, 'Nobody listens where a connection is to go.', [
			'probes:',
			'  - {name: out, from: app, to: "remote:9", expect: {stops: [proxy:15001], outcome: refused}}',
			'  - {name: in, from: remote, to: "pod:9", expect: {stops: [proxy:15006], outcome: refused}}',
		]),
		mode === 'TPROXY'
			? scenario('dropped-onward-tproxy', 'A rule drops what the proxy sends.', [
				'insert: ["-t mangle -I OUTPUT 1 -p tcp -m owner --gid-owner 1337 -m tcp --dport 9001 -j DROP"]',
				'probes:',
				'  - {name: out, from: app, to: "remote:9001", expect: {stops: [proxy:15001], outcome: dropped}}',
			])
			: scenario('no-answer-onward', 'What the proxy sends goes to an address that no host has.', [
				'families: [ipv4]',
				'insert: ["-t nat -I OUTPUT 1 -p tcp -m owner --gid-owner 1337 -m tcp --dport 9001 -j DNAT --to-destination 172.17.0.2:9001"]',
				'probes:',
				'  - {name: out, from: app, to: "remote:9001", expect: {stops: [proxy:15001], outcome: nowhere}}',
			]),
		scenario(`loop${suffix}`, 'A rule gives the proxy what the proxy sends.', [
			'insert: ["-t nat -I OUTPUT 1 -p tcp -m owner --gid-owner 1337 -m tcp --dport 9002 -j REDIRECT --to-ports 15001"]',
			'probes:',
			'  - {name: out, from: app, to: "remote:9002", expect: {stops: [proxy:15001], outcome: loop}}',
		]),
		scenario(`other-users${suffix}`, 'Other users, the proxy\'s group, and the proxy itself.', [
			'actors:',
			'  root: {uid: 0, gid: 0}',
			'  nobody: {uid: 65534, gid: 65534}',
			'  in-the-group: {uid: 1001, gid: 1337}',
			'probes:',
			...['root', 'nobody'].flatMap(from => [
				`  - {name: ${from}-out, from: ${from}, to: "remote:8080", expect: {stops: [proxy:15001, remote:8080]}}`,
				`  - {name: ${from}-own-service, from: ${from}, to: "vip:8080", expect: {stops: [proxy:15001, proxy:15006, app:8080]}}`,
				`  - {name: ${from}-own-address, from: ${from}, to: "pod:8080", expect: {stops: [app:8080]}}`,
				`  - {name: ${from}-metrics, from: ${from}, to: "pod:15090", expect: {stops: [proxy:15090, proxy:15000]}}`,
			]),
			...['in-the-group', 'proxy'].flatMap(from => [
				`  - {name: ${from}-out, from: ${from}, to: "remote:8080", expect: {stops: [remote:8080]}}`,
				`  - {name: ${from}-own-address, from: ${from}, to: "pod:8080", expect: {stops: [proxy:15006, app:8080]}}`,
				`  - {name: ${from}-localhost, from: ${from}, to: "localhost:8080", expect: {stops: [app:8080]}}`,
			]),
		]),
	]);
}

/** The types of Istio's newest release under REDIRECT and TPROXY, in both families. */
function typesCases(backends: readonly Backend[], common: Omit<RunOptions, 'rules' | 'families' | 'types' | 'credentials'>): readonly ProxyCase[] {
	return ['', ' -m TPROXY'].flatMap(mode => loadRuleInputs({
		source: `${defaultInput}${mode}`, source6: undefined, families: addressFamilies, backends,
	}).inputs.map(rules => ({
		name: `types${mode === '' ? '' : '-tproxy'}`,
		options: {
			...common, rules, families: addressFamilies, types: rules.mesh.traffic.types.map(({id}) => id), ...playersOf(rules, credentialsOf({}, rules.intent, rules)),
		},
	})));
}

/** The cases on some back ends. A case that a back end cannot have is not there. */
export function proxyCases({backends = allBackends, signal}: {readonly backends?: readonly Backend[]; readonly signal: AbortSignal}): ProxyCases {
	const common = {
		timeoutMs, traceBufferBytes: defaultBufferBytes, signal, onProgress: () => undefined,
	} as const;
	const request = {backends, credentialsOf: (...known: DropFirst<Parameters<typeof credentialsOf>>) => credentialsOf({}, ...known)};
	const folder = path.join(packageRoot, 'scenarios');
	const shipped = readdirSync(folder).filter(name => name.endsWith('.yaml')).toSorted().map(name => [name.replace(/\.yaml$/u, ''), loadScenario(path.join(folder, name), request)] as const);
	const own = (['REDIRECT', 'TPROXY'] as const).flatMap(mode => Object.entries(ownScenarios(mode)).map(([name, text]) => [name, readScenario(text, {...request, file: name})] as const));
	const leftOut: string[] = [];
	const cases = [...shipped, ...own].flatMap(([name, {prepared}]: readonly [string, LoadedScenarios]) => prepared.flatMap(({rules, play: scenario}): readonly ProxyCase[] => {
		if (rules.intent.ambient !== undefined) {
			leftOut.push(name);
			return [];
		}

		return [{
			name,
			options: {
				...common, rules, scenario, types: [], credentials: credentialsOf({}, rules.intent, rules), families: [...new Set(scenario.cases.map(({probe}) => probe.family))],
			},
		}];
	}));
	return {
		cases: [...typesCases(backends, common), ...cases],
		leftOut: [...new Set(leftOut)].map(name => `${name}: the proxy of ambient mode is ztunnel`),
	};
}

