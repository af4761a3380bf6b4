/**
The roles of the rules that TPROXY adds to a sidecar.
*/

import type {Rule} from '../../netfilter/types.js';
import {anyPort, type RoleTable} from '../../mesh/roles.js';
import {byOption, changed, oldest} from './history.js';

const oldestTproxy = byOption(oldest, '--istio-inbound-interception-mode (1.0)');
const connectionTproxy = changed('1.9.0', 'istio/istio 1.9.0, connection marks under TPROXY');
const hairpinTproxy = changed('1.11.0', 'istio/istio 1.11.0, marks of the proxy\'s hairpin under TPROXY; runs of 1.10.6 without and 1.11.8 with it');

/** A match that is not interpreted, by its text. */
function isOpaque(text: string): (rule: Rule) => boolean {
	return ({matches}) => matches.some(match => match.kind === 'opaque' && match.text === text);
}

/** Roles of a sidecar that captures inbound traffic by TPROXY. */
export const tproxyRoles = {
	'tproxy-mark-bypass': {
		purpose: 'Exempts packets that already have the proxy\'s mark.',
		...connectionTproxy,
		patterns: [{in: ['mangle ISTIO_INBOUND'], rule: 'protocol mark > return'}],
	},
	'tproxy-passthrough-source': {
		purpose: 'Exempts what the proxy sends over lo from the passthrough address.',
		...hairpinTproxy,
		patterns: [{in: ['mangle ISTIO_INBOUND'], rule: 'source in-interface protocol > return'}],
	},
	'tproxy-loopback-not-hairpin': {
		purpose: 'Exempts traffic over lo without the mark of the proxy\'s own hairpin connections.',
		...hairpinTproxy,
		patterns: [{in: ['mangle ISTIO_INBOUND'], rule: 'in-interface protocol !mark > return'}],
	},
	'tproxy-divert-established': {
		purpose: 'Keeps packets of connections that the proxy has accepted in the pod.',
		...oldestTproxy,
		patterns: [
			{in: ['mangle ISTIO_INBOUND'], rule: 'protocol conntrack-state > ISTIO_DIVERT', also: anyPort},
			{in: ['mangle ISTIO_INBOUND'], rule: 'protocol opaque > ISTIO_DIVERT', also: anyPort, when: isOpaque('-m socket')},
		],
	},
	'tproxy-capture': {
		purpose: 'Captures inbound TCP for the transparent listener.',
		...oldestTproxy,
		patterns: [{in: ['mangle ISTIO_INBOUND'], rule: 'protocol > ISTIO_TPROXY', also: anyPort}],
	},
	'tproxy-divert-mark': {
		purpose: 'Marks packets so that they are delivered locally.',
		...oldestTproxy,
		patterns: [{in: ['mangle ISTIO_DIVERT'], rule: '> set-mark'}],
	},
	'tproxy-divert-accept': {
		purpose: 'Accepts packets that were marked for local delivery.',
		...oldestTproxy,
		patterns: [{in: ['mangle ISTIO_DIVERT'], rule: '> accept'}],
	},
	'tproxy-redirect': {
		purpose: 'Delivers captured TCP to the transparent inbound listener, with its destination unchanged.',
		...oldestTproxy,
		patterns: [{in: ['mangle ISTIO_TPROXY'], rule: '!destination protocol > tproxy'}],
	},
	'tproxy-mark-save': {
		purpose: 'Saves the proxy\'s mark to the connection.',
		...connectionTproxy,
		patterns: [{in: ['mangle PREROUTING'], rule: 'protocol mark > save-mark'}],
	},
	'tproxy-loopback-marked': {
		purpose: 'Exempts packets over lo that have the proxy\'s mark.',
		...hairpinTproxy,
		patterns: [{in: ['mangle OUTPUT'], rule: 'out-interface protocol mark > return'}],
	},
	'tproxy-hairpin-mark-by-uid': {
		purpose: 'Marks the proxy\'s own connections to the pod\'s own addresses, by UID, so that they are captured inbound.',
		...hairpinTproxy,
		patterns: [{in: ['mangle OUTPUT'], rule: '!destination out-interface protocol uid > set-mark'}],
	},
	'tproxy-hairpin-mark-by-gid': {
		purpose: 'Marks the proxy\'s own connections to the pod\'s own addresses, by GID, so that they are captured inbound.',
		...hairpinTproxy,
		patterns: [{in: ['mangle OUTPUT'], rule: '!destination out-interface protocol gid > set-mark'}],
	},
	'tproxy-loopback-mark': {
		purpose: 'Marks traffic from the loopback address to another one, so that it is captured inbound, until 1.8.',
		...oldestTproxy, until: '1.8',
		patterns: [{in: ['mangle OUTPUT'], rule: 'source !destination protocol > set-mark'}],
	},
	'tproxy-mark-restore': {
		purpose: 'Puts the mark of the connection back on replies, so that they go to the proxy.',
		...connectionTproxy,
		patterns: [{in: ['mangle OUTPUT'], rule: 'protocol connmark > restore-mark'}],
	},
} as const satisfies RoleTable;
