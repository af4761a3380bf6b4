/**
The target of a rule: the words after `-j` or `-g`.
*/

import {extensionTargets, verdictTargets} from '../built-in.js';
import {parseAddress} from '../address.js';
import type {Target} from '../types.js';
import {RuleSyntaxError, verbatim, type Word} from '../words.js';
import {checkExtensionName} from './opaque-options.js';
import {
	parseMark, parsePort, parsePortRange, wordMax,
} from './values.js';
import type {TargetWords} from './rule-reader.js';

type Context = {readonly line: string; readonly protocol: string | undefined};

/** Parses the words of a target; without any words, the rule only counts. */
export function readTarget(target: TargetWords | undefined, context: Context): Target {
	if (target === undefined) {
		return {kind: 'none'};
	}

	const {via, name, words} = target;
	const verdict = verdictTargets.get(name);
	if (via === 'goto') {
		if (verdict !== undefined || extensionTargets.has(name)) {
			throw new RuleSyntaxError(`-g ${name}: goto needs a chain`);
		}

		refuseOptions(words, name);
		return {kind: 'goto', chain: name};
	}

	if (verdict !== undefined) {
		refuseOptions(words, name);
		return {kind: 'verdict', verdict};
	}

	if (name === 'REDIRECT') {
		return readRedirect(words, context);
	}

	if (name === 'TPROXY') {
		return readTproxy(words, context);
	}

	const marking = readMarking(name, words);
	if (marking !== undefined) {
		return marking;
	}

	if (!extensionTargets.has(name) && words.length === 0) {
		return {kind: 'jump', chain: name};
	}

	checkExtensionName(name, '-j');
	return extension(name, words, context);
}

function readRedirect(words: readonly Word[], context: Context): Target {
	const options = optionsOf(words, ['--to-ports', '--random', '--random-fully']);
	if (options.has('--to-ports')) {
		if (!['tcp', 'udp', 'sctp', 'dccp'].includes(context.protocol ?? '')) {
			throw new RuleSyntaxError('REDIRECT to a port without -p tcp, udp, sctp or dccp');
		}

		const toPorts = parsePortRange(requireValue('--to-ports', options.get('--to-ports')), '-');
		// A random port is not a fixed one, so the target stays opaque.
		return options.size === 1 ? {kind: 'redirect', toPorts} : extension('REDIRECT', words, context);
	}

	return options.size === 0 ? {kind: 'redirect', toPorts: undefined} : extension('REDIRECT', words, context);
}

function readTproxy(words: readonly Word[], context: Context): Target {
	const options = optionsOf(words, ['--on-port', '--on-ip', '--tproxy-mark']);
	const onPort = parsePort(requireValue('--on-port', options.get('--on-port')));
	const onIp = options.get('--on-ip');
	// Without a mark the kernel gets mark 0 and mask 0 (iptables 1.8.9, measured).
	const {value: mark, mask} = options.has('--tproxy-mark') ? parseMark(requireValue('--tproxy-mark', options.get('--tproxy-mark'))) : {value: 0, mask: 0};
	if (options.has('--on-ip')) {
		const address = parseAddress(requireValue('--on-ip', onIp));
		if (address === undefined) {
			throw new RuleSyntaxError(`bad address "${onIp}"`);
		}

		// The zero address means "the address of the receiving interface"; there is no field for any other.
		if (address.value !== 0n) {
			return extension('TPROXY', words, context);
		}
	}

	return {
		kind: 'tproxy', onPort, mark, mask,
	};
}

/** Targets that mark a packet or its connection; undefined for a form that has no field and stays opaque. To the kernel, all forms of a mark are the same: clear the bits of `mask`, then flip those of `value` (iptables-extensions(8), MARK; 1.8.9 prints them so, measured). */
function readMarking(name: string, words: readonly Word[]): Target | undefined {
	const texts = words.map(({text}) => text);
	const [option = '', value = ''] = texts;
	if (name === 'CT') {
		return texts.length === 2 && option === '--zone' && /^(?:0x[\da-f]{1,4}|\d{1,5})$/iu.test(value) ? {kind: 'ct-zone', zone: Number(value)} : undefined;
	}

	if (name !== 'MARK' && name !== 'CONNMARK') {
		return undefined;
	}

	const mark = texts.length === 2 ? markForms.get(option)?.(parseMark(value)) : undefined;
	if (mark !== undefined) {
		return {kind: name === 'MARK' ? 'set-mark' : 'set-connmark', ...mark};
	}

	return name === 'CONNMARK' && (option === '--save-mark' || option === '--restore-mark') && isWholeMasks(texts.slice(1)) ? {kind: option === '--save-mark' ? 'save-mark' : 'restore-mark'} : undefined;
}

/** Without masks, and with all-ones masks as iptables-save prints them, the copy is the same (iptables 1.8.9, measured). */
function isWholeMasks(masks: readonly string[]): boolean {
	return masks.length === 0 || (masks.length === 4 && masks[0] === '--nfmask' && masks[2] === '--ctmask' && Number(masks[1]) === wordMax && Number(masks[3]) === wordMax);
}

type Mark = {readonly value: number; readonly mask: number};

/** Each option of MARK and CONNMARK converted to `--set-xmark`. */
const markForms: ReadonlyMap<string, (mark: Mark) => Mark> = new Map([
	['--set-xmark', mark => mark],
	['--set-mark', ({value, mask}) => ({value, mask: (value | mask) >>> 0})],
	['--and-mark', ({value}) => ({value: 0, mask: ~value >>> 0})],
	['--or-mark', ({value}) => ({value, mask: value})],
	['--xor-mark', ({value}) => ({value, mask: 0})],
]);

function extension(name: string, words: readonly Word[], {line}: Context): Target {
	return {kind: 'extension', name, options: verbatim(line, words)};
}

function refuseOptions(words: readonly Word[], name: string): void {
	const [first] = words;
	if (first !== undefined) {
		throw new RuleSyntaxError(`option ${first.text} belongs to no preceding module or target: ${name} takes none`);
	}
}

function requireValue(name: string, value: string | undefined): string {
	if (value === undefined) {
		throw new RuleSyntaxError(`${name} needs a value`);
	}

	return value;
}

/** Options with their values, `--name value` or `--name=value`; an option alone has none. A unique abbreviation is accepted, as in getopt_long(3). */
function optionsOf(words: readonly Word[], known: readonly string[]): ReadonlyMap<string, string | undefined> {
	const options = new Map<string, string | undefined>();
	let last: string | undefined;
	for (const {text, quoted} of words) {
		const [, written = text, value] = /^(--[^=]+)=(.*)$/.exec(text) ?? [];
		if (!quoted && written.startsWith('--')) {
			const candidates = known.filter(name => name.startsWith(written));
			const name = known.includes(written) ? written : candidates[0];
			if (name === undefined || (candidates.length > 1 && name !== written)) {
				throw new RuleSyntaxError(`option ${written} belongs to no preceding module or target`);
			}

			if (options.has(name)) {
				throw new RuleSyntaxError(`${name} is given twice`);
			}

			options.set(name, value);
			last = value === undefined ? name : undefined;
		} else if (last === undefined) {
			throw new RuleSyntaxError(`unexpected word "${text}"`);
		} else {
			options.set(last, text);
			last = undefined;
		}
	}

	return options;
}
