/**
The rules that traffic of the pod's processes should meet: under TPROXY first mangle OUTPUT, then nat OUTPUT, and for traffic that then goes over lo, mangle PREROUTING.
*/

import type {Role} from '../../mesh/roles.js';
import {hasInterface} from '../../netfilter/interface-name.js';
import {hasPort, isHostLoopback, isLocal, ownerOf, rangeOf, type Owner} from '../../mesh/selection.js';
import {podInterfaceOf} from '../../mesh/topology.js';
import type {Connection, ExpectationContext} from '../../mesh/traffic.js';
import {hairpinMark, manglePrerouting, type Decision} from './expected-inbound.js';

/** Traffic of a process in the pod. */
export function leaving(context: ExpectationContext, connection: Connection): Decision {
	const {intent, topology, family} = context;
	const device = isLocal(context, connection.destination.address) ? 'lo' : podInterfaceOf(topology);
	const isExcluded = hasInterface(intent.excludeInterfaces, device);
	const nat: Decision = isExcluded ? {roles: ['interface-exclude-outbound'], to: 'destination'} : outbound(context, connection);
	if (intent.inboundInterceptionMode !== 'TPROXY') {
		return nat;
	}

	const mangle: MangleOutput = isExcluded ? {roles: ['interface-exclude-outbound'], mark: connection.mark} : mangleOutput(context, connection, device);
	if (device !== 'lo' && nat.to === 'destination') {
		return {roles: [...mangle.roles, ...nat.roles], to: 'destination'};
	}

	// REDIRECT has rewritten the destination by then: nat OUTPUT comes before the routing that brings the packet over lo to PREROUTING.
	const listener = nat.to === 'outbound-listener' ? intent.proxyPort : intent.inboundCapturePort;
	const overLo = manglePrerouting(context, {
		device: 'lo',
		source: connection.source,
		mark: mangle.mark,
		destination: nat.to === 'destination' ? connection.destination : {address: topology.places.localhost[family], port: listener},
	});
	return {roles: [...mangle.roles, ...nat.roles, ...overLo.roles], to: overLo.to === 'destination' ? nat.to : overLo.to};
}

type MangleOutput = {readonly roles: readonly Role[]; readonly mark: number};

/** The mangle OUTPUT rules that `Run` writes under TPROXY: the proxy's own connections to its pod get a separate mark, by every rule that matches their owner. */
function mangleOutput(context: ExpectationContext, {actor, mark, isProxysOwn, destination}: Connection, device: string): MangleOutput {
	const {intent, actors} = context;
	if (device !== 'lo' || !intent.tproxyMarksHairpin) {
		return {roles: [], mark};
	}

	if (mark === intent.inboundTproxyMark) {
		return {roles: ['tproxy-loopback-marked'], mark};
	}

	if (isHostLoopback(context, destination.address)) {
		return {roles: [], mark};
	}

	const {uid, gid} = actors[actor];
	const known: readonly Role[] = [
		...(intent.proxyUids.includes(uid) ? ['tproxy-hairpin-mark-by-uid' as const] : []),
		...(intent.proxyGids.includes(gid) ? ['tproxy-hairpin-mark-by-gid' as const] : []),
	];
	// A proxy that no rule matches is expected by its group anyway, so that it is seen to fail.
	const roles: readonly Role[] = known.length === 0 && isProxysOwn ? ['tproxy-hairpin-mark-by-gid'] : known;
	return {roles, mark: roles.length > 0 ? hairpinMark : mark};
}

/** The next leg of the proxy should be recognized as the proxy's. One that the rules cannot recognize is expected by UID anyway, so that it is seen to fail. */
function intendedOwner({intent, actors: {proxy}}: ExpectationContext): Owner {
	return ownerOf(intent, proxy) ?? 'uid';
}

/** Outbound traffic, in the order in which `Run` writes the rules of ISTIO_OUTPUT. */
function outbound(context: ExpectationContext, connection: Connection): Decision {
	const {actor, source, mark, isProxysOwn, destination} = connection;
	const {intent, actors, family, topology} = context;
	const overLo = isLocal(context, destination.address);
	const toLoopback = isHostLoopback(context, destination.address);
	if (hasPort(intent.outboundPortsExclude, destination.port)) {
		return letGo('outbound-port-exclude');
	}

	if (source === topology.passthroughSource[family]) {
		return letGo('passthrough-source');
	}

	const hairpin = hairpinOfAnyOwner(context, destination.address);
	if (hairpin !== undefined) {
		return hairpin;
	}

	const isTransparent = intent.inboundInterceptionMode === 'TPROXY';
	// Nat does not look at marks: under TPROXY, the proxy reaches the app, and its own pod, only as a user whom the rules for lo treat as foreign (UID 0 with the proxy's GID).
	const intended = isProxysOwn && !(isTransparent && overLo) ? intendedOwner(context) : undefined;
	const owner = intended ?? (isTransparent && mark === intent.inboundTproxyMark ? undefined : ownerOf(intent, actors[actor]));
	// If a loopback range is to be captured, the rules for foreign traffic on lo are left out (`HasLoopBackIP` in `Run`).
	if (overLo && !intent.loopbackIncluded && isForeignOnLo(context, {actor, owner, intended, toLoopback})) {
		return letGo(intent.proxyUids.length > 0 ? 'loopback-not-proxy-uid' : 'loopback-not-proxy-gid');
	}

	if (owner !== undefined) {
		const isHairpin = overLo && !toLoopback && !(intent.hairpinExceptsTunnelPort && destination.port === intent.inboundTunnelPort);
		return isHairpin
			? {roles: ['outbound-jump', `hairpin-by-${owner}`, 'inbound-redirect'], to: 'inbound-listener'}
			: letGo(`proxy-${owner}-bypass`);
	}

	return ofGroup(context, connection) ?? captured(context, {destination, toLoopback});
}

/** Until 1.4, one rule matches every connection over lo to another of the pod's addresses; until 1.2 it uses the outbound redirect, whose listener accepts both directions. */
function hairpinOfAnyOwner(context: ExpectationContext, address: string): Decision | undefined {
	const {hairpinsAnyOwner, hasOneListener} = context.intent;
	return hairpinsAnyOwner === true && isLocal(context, address) && !isHostLoopback(context, address)
		? {roles: ['outbound-jump', 'hairpin-any-owner', hasOneListener === true ? 'outbound-redirect' : 'inbound-redirect'], to: 'inbound-listener'}
		: undefined;
}

/** Whether the first block's rule for lo matches a connection; until 1.4 there is none. */
function isForeignOnLo({intent, actors}: ExpectationContext, {actor, owner, intended, toLoopback}: {
	readonly actor: Connection['actor']; readonly owner: Owner; readonly intended: Owner; readonly toLoopback: boolean;
}): boolean {
	if (intent.hairpinsAnyOwner === true) {
		return false;
	}

	if (owner === undefined) {
		return intent.proxyUids.length + intent.proxyGids.length > 0;
	}

	// A process that is recognized as the proxy only by its group is foreign on lo, where the rules by UID come first; the proxy itself should not be.
	if (owner === 'gid') {
		return intended === undefined && intent.proxyUids.length > 0;
	}

	// With several UIDs, the first block's rule for lo matches every other one (measured with `-u 64535,1337`). To a loopback address that is harmless, and so expected; for a hairpin it is the fault that must show.
	const {uid} = actors[actor];
	return toLoopback && uid !== intent.proxyUids[0] && intent.proxyUids.includes(uid);
}

/** `handleCaptureByOwnerGroup`: only some groups are captured, or all but some. */
function ofGroup({intent, actors}: ExpectationContext, {actor}: Connection): Decision | undefined {
	const {ownerGroupsInclude: include, ownerGroupsExclude: exclude} = intent;
	const gid = String(actors[actor].gid);
	if (include === '*') {
		return exclude.includes(gid) ? letGo('group-exclude') : undefined;
	}

	return include.includes(gid) ? undefined : letGo('group-include');
}

/** The rules after those of the owners: localhost, ranges, ports. */
function captured({intent, family}: ExpectationContext, {destination, toLoopback}: Pick<Connection, 'destination'> & {readonly toLoopback: boolean}): Decision {
	if (toLoopback) {
		return letGo('localhost-bypass');
	}

	if (rangeOf(intent.outboundIpRangesExclude, destination.address, family) !== undefined) {
		return letGo('range-exclude');
	}

	if (hasPort(intent.outboundPortsInclude, destination.port)) {
		return capture('outbound-port-include');
	}

	if (intent.outboundIpRangesInclude === '*') {
		return capture('outbound-capture');
	}

	const range = rangeOf(intent.outboundIpRangesInclude, destination.address, family);
	if (range === undefined) {
		return {roles: ['outbound-jump'], to: 'destination'};
	}

	// A range of all addresses leaves no match in a rule, which is then the one that captures everything.
	return capture(range.endsWith('/0') ? 'outbound-capture' : 'range-include');
}

function letGo(role: Role): Decision {
	return {roles: ['outbound-jump', role], to: 'destination'};
}

function capture(role: Role): Decision {
	return {roles: ['outbound-jump', role, 'outbound-redirect'], to: 'outbound-listener'};
}
