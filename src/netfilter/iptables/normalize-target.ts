/**
A target in the spelling of iptables-save 1.8.9.
*/

import type {AddressFamily, PortRange, Target} from '../types.js';
import {normalWord} from '../words.js';
import type {TargetWords} from './rule-reader.js';
import {wordMax} from './values.js';

/** What iptables-save omits because it is the default, or adds without being asked (1.8.9, measured). */
const defaults: ReadonlyMap<string, (options: readonly string[], family: AddressFamily) => readonly string[]> = new Map([
	['REJECT', (options, family) => options.length > 0 ? options : ['--reject-with', family === 'ipv4' ? 'icmp-port-unreachable' : 'icmp6-port-unreachable']],
	['LOG', options => {
		const level = options.indexOf('--log-level');
		return level !== -1 && ['4', 'warn', 'warning'].includes(options[level + 1] ?? '') ? options.toSpliced(level, 2) : options;
	}],
	['CONNMARK', options => options.length === 3 && options[1] === '--mask' ? [options[0]!, '--nfmask', options[2]!, '--ctmask', options[2]!] : options],
]);

/** The target with its `-j` or `-g`; empty for a rule that only counts. */
export function printTarget(target: Target, {targetWords, family}: {readonly targetWords: TargetWords | undefined; readonly family: AddressFamily}): string {
	switch (target.kind) {
		case 'none': {
			return '';
		}

		case 'verdict': {
			return `-j ${target.verdict.toUpperCase()}`;
		}

		case 'jump': {
			return `-j ${target.chain}`;
		}

		case 'goto': {
			return `-g ${target.chain}`;
		}

		case 'redirect': {
			return target.toPorts === undefined ? '-j REDIRECT' : `-j REDIRECT --to-ports ${printPorts(target.toPorts)}`;
		}

		case 'tproxy': {
			return `-j TPROXY --on-port ${target.onPort} --on-ip ${family === 'ipv4' ? '0.0.0.0' : '::'} --tproxy-mark ${printMark({value: target.mark, mask: target.mask})}`;
		}

		case 'set-mark': {
			return `-j MARK --set-xmark ${printMark(target)}`;
		}

		case 'set-connmark': {
			return `-j CONNMARK --set-xmark ${printMark(target)}`;
		}

		case 'save-mark':
		case 'restore-mark': {
			const whole = `0x${wordMax.toString(16)}`;
			return `-j CONNMARK --${target.kind} --nfmask ${whole} --ctmask ${whole}`;
		}

		case 'ct-zone': {
			return target.zone === 0 ? '-j CT' : `-j CT --zone ${target.zone}`;
		}

		case 'extension': {
			return printExtension(target, {targetWords, family});
		}
	}
}

function printExtension({name}: Extract<Target, {kind: 'extension'}>, {targetWords, family}: {readonly targetWords: TargetWords | undefined; readonly family: AddressFamily}): string {
	// NOTRACK is the older name of the same thing (iptables-extensions(8)).
	if (name === 'NOTRACK') {
		return '-j CT --notrack';
	}

	const options = (targetWords?.words ?? []).map(word => normalWord(word));
	return ['-j', name, ...(defaults.get(name)?.(options, family) ?? options)].join(' ');
}

function printPorts({from, to}: PortRange): string {
	return from === to ? String(from) : `${from}-${to}`;
}

function printMark({value, mask}: {readonly value: number; readonly mask: number}): string {
	return `0x${value.toString(16)}/0x${mask.toString(16)}`;
}
