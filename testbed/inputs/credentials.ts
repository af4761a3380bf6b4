/**
Who each actor runs as: what the command line says, what the input says, what Istio does.
*/

import type {ActorCredentials, Credentials, Intent} from '../../src/scenario/types.js';

/** Users and groups as a command line names them; the app's user has a default there. */
export type CredentialFlags = {
	readonly proxyUid?: number;
	readonly proxyGid?: number;
	readonly agentUid?: number;
	readonly agentGid?: number;
	readonly appUid: number;
	readonly appGid?: number;
};

/**
What the command line says of the proxy goes before what the input says (a manifest does). A group that is not given follows its user, as in istio-iptables; the agent runs in the proxy's container, as its user, unless somebody says otherwise.
ztunnel runs as root with the group 1337 too. Under TPROXY the injection template runs that container as root with the group 1337 (Istio, manifests/charts, injection-template.yaml: no runAsUser, runAsGroup 1337), for nat looks at owners and not at marks.
*/
export function credentialsOf({proxyUid, proxyGid, agentUid, agentGid, appUid, appGid}: CredentialFlags, {inboundInterceptionMode, ambient}: Pick<Intent, 'inboundInterceptionMode' | 'ambient'>, known?: Credentials): ActorCredentials {
	const root = {uid: 0, gid: 0};
	const isTransparent = (inboundInterceptionMode === 'TPROXY' || ambient !== undefined) && proxyUid === undefined;
	const usual = proxyUid === undefined ? known ?? (isTransparent ? {uid: 0, gid: 1337} : undefined) : undefined;
	const uid = proxyUid ?? usual?.uid ?? 1337;
	const proxy = {uid, gid: proxyGid ?? usual?.gid ?? uid};
	return {
		proxy,
		agent: {uid: agentUid ?? proxy.uid, gid: agentGid ?? agentUid ?? proxy.gid},
		app: {uid: appUid, gid: appGid ?? appUid},
		remote: root,
		istiod: root,
		prometheus: root,
	};
}

/** Everybody's credentials as of `run`, whoever sends. */
export function usualCredentials({proxyUid, proxyGid, agentUid, agentGid}: Omit<CredentialFlags, 'appUid' | 'appGid'>, ...input: DropFirst<Parameters<typeof credentialsOf>>): ActorCredentials {
	return credentialsOf({
		...defined({
			proxyUid, proxyGid, agentUid, agentGid,
		}), appUid: 1000,
	}, ...input);
}

/** A list of types without its first. */
export type DropFirst<List extends readonly unknown[]> = List extends readonly [unknown, ...infer Rest] ? Rest : never;

/** Only what was given: an option that is not there is not an option that is undefined. */
function defined<Values extends Readonly<Record<string, number | undefined>>>(values: Values): {readonly [Key in keyof Values]?: number} {
	return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {readonly [Key in keyof Values]?: number};
}
