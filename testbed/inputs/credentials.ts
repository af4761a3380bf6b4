/**
The user and group of each actor, from the command line, the input, or Istio's defaults.
*/

import type {ActorCredentials, Credentials, Intent} from '../../src/mesh/traffic.js';

/** Users and groups from the command line. */
export type CredentialFlags = {
	readonly proxyUid?: number;
	readonly proxyGid?: number;
	readonly agentUid?: number;
	readonly agentGid?: number;
	readonly appUid?: number;
	readonly appGid?: number;
};

/**
The credentials of all actors. For the proxy, the command line takes precedence over the input (a manifest). A group that is not given defaults to the user's number, as in istio-iptables; the agent runs in the proxy's container, so it has the proxy's user unless set otherwise.

ztunnel runs as root with group 1337. Under TPROXY the injection template also runs the proxy's container as root with group 1337 (Istio, manifests/charts, injection-template.yaml: no runAsUser, runAsGroup 1337), because the nat rules check owners, not marks.
*/
export function credentialsOf({proxyUid, proxyGid, agentUid, agentGid, appUid, appGid}: CredentialFlags, intent: KnownUsers, {proxy: known, apps}: KnownActors = {}): ActorCredentials {
	const root = {uid: 0, gid: 0};
	const usual = proxyUid === undefined ? known ?? usualProxy(intent) : undefined;
	const uid = proxyUid ?? usual?.uid ?? injectedId;
	const proxy = {uid, gid: proxyGid ?? usual?.gid ?? uid};
	const app = appUid === undefined ? apps?.[0] ?? {uid: usualAppId, gid: usualAppId} : {uid: appUid, gid: appUid};
	return {
		proxy,
		agent: {uid: agentUid ?? proxy.uid, gid: agentGid ?? agentUid ?? proxy.gid},
		app: {uid: app.uid, gid: appGid ?? app.gid},
		remote: root,
		istiod: root,
		prometheus: root,
	};
}

/** The parts of an intent that say who the proxy is. */
export type KnownUsers = Pick<Intent, 'inboundInterceptionMode' | 'ambient'> & Partial<Pick<Intent, 'proxyUids' | 'proxyGids'>>;

/** The users of actors according to the input. */
export type KnownActors = {readonly proxy?: Credentials | undefined; readonly apps?: readonly Credentials[] | undefined};

/** The user of the injected proxy, and its group (Istio, `DefaultProxyUID`). */
const injectedId = 1337;
const usualAppId = 1000;

/** The first user that the rules exempt as the proxy; for a transparent proxy, root with the group that the rules exempt. */
function usualProxy({inboundInterceptionMode, ambient, proxyUids = [], proxyGids = []}: KnownUsers): Credentials | undefined {
	if (inboundInterceptionMode === 'TPROXY' || ambient !== undefined) {
		const [gid = injectedId] = proxyGids.includes(injectedId) ? [injectedId] : proxyGids;
		return {uid: 0, gid};
	}

	const [uid] = proxyUids;
	return uid === undefined ? undefined : {uid, gid: uid};
}

/** The credentials of all actors in `run`, regardless of the sender. */
export function usualCredentials({proxyUid, proxyGid, agentUid, agentGid}: Omit<CredentialFlags, 'appUid' | 'appGid'>, ...input: DropFirst<Parameters<typeof credentialsOf>>): ActorCredentials {
	return credentialsOf(defined({
		proxyUid, proxyGid, agentUid, agentGid,
	}), ...input);
}

/** A tuple type without its first element. */
export type DropFirst<List extends readonly unknown[]> = List extends readonly [unknown, ...infer Rest] ? Rest : never;

/** Drops undefined values: with exact optional types, an absent option differs from an undefined one. */
function defined<Values extends Readonly<Record<string, number | undefined>>>(values: Values): {readonly [Key in keyof Values]?: number} {
	return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {readonly [Key in keyof Values]?: number};
}
