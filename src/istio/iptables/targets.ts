/**
Targets in the form in which `iptables-save` 1.8.9 (nf_tables) prints them, each with its fields.
*/

import {wordMax} from '../../netfilter/iptables/values.js';
import type {Target} from '../../netfilter/types.js';
import {printMark} from './save-form.js';

/** What a rule does: the words after its matches, and the corresponding target. */
export type Action = {readonly text: string; readonly target: Target};

const wholeMask = '0xffffffff';

/** `-j RETURN`. */
export const leave: Action = {text: '-j RETURN', target: {kind: 'verdict', verdict: 'return'}};

/** `-j ACCEPT`. */
export const accept: Action = {text: '-j ACCEPT', target: {kind: 'verdict', verdict: 'accept'}};

/** `-j DROP`. */
export const drop: Action = {text: '-j DROP', target: {kind: 'verdict', verdict: 'drop'}};

/** `-j ISTIO_OUTPUT`. */
export function jumpTo(chain: string): Action {
	return {text: `-j ${chain}`, target: {kind: 'jump', chain}};
}

/** `-j REDIRECT --to-ports 15001`. */
export function redirectTo(port: number): Action {
	return {text: `-j REDIRECT --to-ports ${port}`, target: {kind: 'redirect', toPorts: {from: port, to: port}}};
}

/** `-j MARK --set-xmark 0x539/0xffffffff`. */
export function setMark(value: number): Action {
	return {text: `-j MARK --set-xmark ${printMark(value)}/${wholeMask}`, target: {kind: 'set-mark', value, mask: wordMax}};
}

/** `-j CONNMARK --save-mark` with whole masks: the packet's mark becomes the connection's. */
export const saveMark: Action = {text: `-j CONNMARK --save-mark --nfmask ${wholeMask} --ctmask ${wholeMask}`, target: {kind: 'save-mark'}};

/** The reverse. */
export const restoreMark: Action = {text: `-j CONNMARK --restore-mark --nfmask ${wholeMask} --ctmask ${wholeMask}`, target: {kind: 'restore-mark'}};

/** `-j TPROXY`. `--on-ip` is what iptables prints when none is given. */
export function giveTo({port, anyAddress, mark}: {readonly port: number; readonly anyAddress: '0.0.0.0' | '::'; readonly mark: number}): Action {
	return {
		text: `-j TPROXY --on-port ${port} --on-ip ${anyAddress} --tproxy-mark ${printMark(mark)}/${wholeMask}`,
		target: {
			kind: 'tproxy', onPort: port, mark, mask: wordMax,
		},
	};
}

/** `-j CT --zone 1`. */
export function inZone(zone: number): Action {
	return {text: `-j CT --zone ${zone}`, target: {kind: 'ct-zone', zone}};
}

/** A target without a field, with its words: `-j DNAT --to-destination 127.0.0.1:15053`. */
export function extension(name: string, options: string): Action {
	return {text: `-j ${name} ${options}`, target: {kind: 'extension', name, options}};
}
