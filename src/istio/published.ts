/**
The claims of an article about six types of traffic, as data. They say what was published, not what is true: the kernel decides that.
*/

import {printPublishedStep, type PublishedClaims, type PublishedStep, type PublishedType, type PublishedTypeId} from '../mesh/published.js';
import type {Role} from './roles/roles.js';

/** The source of the claims. */
export const publishedSource = '"Traffic types and iptables rules in Istio sidecar explained" (Tetrate)';

/** The nine rules of ISTIO_OUTPUT that the article numbers, as `iptables-save` printed them for a default sidecar of its time, with the role of each. */
export const articleRules: ReadonlyArray<{readonly number: number; readonly text: string; readonly role: Role}> = [
	{number: 1, text: '-s 127.0.0.6/32 -o lo -j RETURN', role: 'passthrough-source'},
	{number: 2, text: '! -d 127.0.0.1/32 -o lo -m owner --uid-owner 1337 -j ISTIO_IN_REDIRECT', role: 'hairpin-by-uid'},
	{number: 3, text: '-o lo -m owner ! --uid-owner 1337 -j RETURN', role: 'loopback-not-proxy-uid'},
	{number: 4, text: '-m owner --uid-owner 1337 -j RETURN', role: 'proxy-uid-bypass'},
	{number: 5, text: '! -d 127.0.0.1/32 -o lo -m owner --gid-owner 1337 -j ISTIO_IN_REDIRECT', role: 'hairpin-by-gid'},
	{number: 6, text: '-o lo -m owner ! --gid-owner 1337 -j RETURN', role: 'loopback-not-proxy-gid'},
	{number: 7, text: '-m owner --gid-owner 1337 -j RETURN', role: 'proxy-gid-bypass'},
	{number: 8, text: '-d 127.0.0.1/32 -j RETURN', role: 'localhost-bypass'},
	{number: 9, text: '-j ISTIO_REDIRECT', role: 'outbound-capture'},
];

/** The routes as the article gives them. */
export const publishedTypes: Readonly<Record<PublishedTypeId, PublishedType>> = {
	1: type('remote-to-local', [
		actor('remote'),
		chain('PREROUTING'),
		chain('ISTIO_INBOUND'),
		chain('ISTIO_IN_REDIRECT'),
		listener(15_006),
		chain('OUTPUT'),
		rule(1),
		chain('POSTROUTING'),
		actor('app'),
	]),
	2: type('local-to-remote', [actor('app'), chain('OUTPUT'), rule(9), chain('ISTIO_REDIRECT'), listener(15_001), chain('OUTPUT'), rule(4), chain('POSTROUTING'), actor('remote')]),
	3: type('prometheus-to-local', [actor('prometheus'), chain('PREROUTING'), chain('ISTIO_INBOUND'), chain('INPUT'), chain('OUTPUT'), rule(3), chain('POSTROUTING'), actor('app')]),
	4: type('local-to-local', [
		actor('app'),
		chain('OUTPUT'),
		rule(9),
		chain('ISTIO_REDIRECT'),
		listener(15_001),
		chain('OUTPUT'),
		rule(2),
		chain('ISTIO_IN_REDIRECT'),
		listener(15_006),
		chain('OUTPUT'),
		rule(1),
		chain('POSTROUTING'),
		actor('app'),
	]),
	5: type('within-proxy', [actor('proxy'), chain('OUTPUT'), rule(8), chain('POSTROUTING'), actor('proxy')]),
	6: type('sidecar-to-istiod', [actor('agent'), chain('OUTPUT'), rule(9), listener(15_001), chain('OUTPUT'), rule(4), chain('POSTROUTING'), actor('istiod')]),
};

/** The article's claims. It covers only nat. */
export const articleClaims: PublishedClaims = {
	source: publishedSource,
	types: publishedTypes,
	table: 'nat',
	ports: {outbound: 15_001, inbound: 15_006},
	ownerRoles: {byUid: 'proxy-uid-bypass', byGid: 'proxy-gid-bypass', foreignUidOnLoopback: 'loopback-not-proxy-uid'} satisfies Record<string, Role>,
};

function type(name: string, path: readonly PublishedStep[]): PublishedType {
	return {name, path, notation: path.map(step => printPublishedStep(step))};
}

function actor(name: string): PublishedStep {
	return {kind: 'actor', name};
}

function listener(port: number): PublishedStep {
	return {kind: 'listener', port};
}

function chain(name: string): PublishedStep {
	return {kind: 'chain', chain: name};
}

function rule(number: number): PublishedStep {
	const found = articleRules.find(candidate => candidate.number === number);
	if (found === undefined) {
		throw new RangeError(`the article numbers no rule ${number}`);
	}

	return {
		kind: 'rule', chain: 'ISTIO_OUTPUT', number, role: found.role,
	};
}
