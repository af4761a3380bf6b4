/**
Hints about the users in the rules and the users of the actors.
*/

import type {MeshRules} from '../mesh/mesh.js';
import type {OtherSender} from '../mesh/other-senders.js';
import type {ActorCredentials, Credentials, Intent} from '../mesh/traffic.js';
import {rulesOf, type PlacedRule} from '../netfilter/lookup.js';
import {printStep} from '../netfilter/path.js';

/** The users of a run. */
export type RunUsers = {readonly intent: Intent; readonly credentials: ActorCredentials; readonly others: readonly OtherSender[]; readonly ruleSet: MeshRules};

/** Hints, a sentence or two each. They decide nothing. */
export function userHints(run: RunUsers): readonly string[] {
	return [...unknownProxy(run), ...appsOfProxysUser(run), ...nobodysUsers(run)];
}

function unknownProxy({intent: {proxyUids, proxyGids, ambient, inboundInterceptionMode}, credentials: {proxy}}: RunUsers): readonly string[] {
	// A transparent proxy is recognized by its group or its mark on purpose.
	const isKnownOtherwise = ambient !== undefined || (inboundInterceptionMode === 'TPROXY' && proxyGids.includes(proxy.gid));
	return proxyUids.includes(proxy.uid) || isKnownOtherwise ? [] : [`The rules exempt ${proxyUids.length === 0 ? 'no UID' : `UID ${proxyUids.join(', ')}`} as the proxy, but the proxy of this run has UID ${proxy.uid} (--proxy-uid).`];
}

function appsOfProxysUser({intent: {proxyUids, proxyGids, ambient}, credentials: {app}, others}: RunUsers): readonly string[] {
	const apps: ReadonlyArray<Credentials & {readonly name: string}> = [{...app, name: 'app'}, ...others.filter(({part}) => part === 'app')];
	return ambient === undefined
		? apps.flatMap(({name, uid, gid}) => {
			const shared = proxyUids.includes(uid) ? `UID ${uid}` : (proxyGids.includes(gid) ? `GID ${gid}` : undefined);
			return shared === undefined ? [] : [`${name} runs with the proxy's ${shared}, so the rules take what it sends for the proxy's own: it is not captured and no policy applies to it. Give the app another ${shared.startsWith('UID') ? 'runAsUser' : 'runAsGroup'}.`];
		})
		: [];
}

/** Rules that no mesh wrote, for a user that no actor has: traffic of that user was not tested. */
function nobodysUsers({credentials: {app, proxy, agent}, others, ruleSet}: RunUsers): readonly string[] {
	const known = {uid: new Set([app, proxy, agent, ...others].map(({uid}) => uid)), gid: new Set([app, proxy, agent, ...others].map(({gid}) => gid))};
	const found = [...rulesOf(ruleSet)]
		.filter(({rule, table, chain}) => ruleSet.mesh.roleOf(rule, table, chain) === undefined)
		.flatMap(placed => placed.rule.matches.flatMap(match => (match.kind === 'uid' || match.kind === 'gid') && !match.negated && match.from === match.to && !known[match.kind].has(match.from)
			? [`${printStep(placed.table, placed.chain.name, placed.rule.number)} ("${placed.rule.text}") is for ${match.kind.toUpperCase()} ${match.from}, which no actor of this run has: ${consequence(placed)}. To try it: testbed probe --${match.kind} ${match.from} --to remote:8080`]
			: []));
	return [...new Set(found)];
}

function consequence({rule: {target}}: PlacedRule): string {
	return target.kind === 'verdict' && (target.verdict === 'return' || target.verdict === 'accept')
		? 'traffic of that user\'s processes bypasses the sidecar'
		: 'traffic of that user\'s processes was not tested';
}
